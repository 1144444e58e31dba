// SPDX-License-Identifier: MIT
#include "queue/function_threads.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace osiiso::queue {

struct FunctionThreads::Seat {
  std::thread thread;
  Call call;  // to be made next
  std::condition_variable came;
};

struct FunctionThreads::State {
  std::function<bool()> initialize;
  std::mutex mutex;
  std::vector<std::shared_ptr<Seat>> seats;
  std::vector<std::shared_ptr<Seat>> idle;
  bool closed = false;
};

FunctionThreads::FunctionThreads(std::function<bool()> initialize)
    : state_(std::make_shared<State>()) {
  state_->initialize = std::move(initialize);
}

FunctionThreads::~FunctionThreads() {
  close();
}

void FunctionThreads::run(Call call) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->idle.empty()) {
    const auto seat = std::move(state_->idle.back());
    state_->idle.pop_back();
    seat->call = std::move(call);
    seat->came.notify_one();
    return;
  }
  const auto seat = std::make_shared<Seat>();
  seat->call = std::move(call);
  seat->thread = std::thread([state = state_, seat] { serve(state, seat); });
  if (state_->closed) {
    seat->thread.detach();
  } else {
    state_->seats.push_back(seat);
  }
}

void FunctionThreads::close() {
  std::vector<std::shared_ptr<Seat>> idle;
  {
    const std::lock_guard lock(state_->mutex);
    state_->closed = true;
    idle = std::exchange(state_->idle, {});
    for (const auto& seat : idle) {
      std::erase(state_->seats, seat);
      seat->came.notify_one();
    }
    for (const auto& seat : state_->seats) seat->thread.detach();
    state_->seats.clear();
  }
  for (const auto& seat : idle) seat->thread.join();
}

void FunctionThreads::serve(const std::shared_ptr<State>& state,
                            const std::shared_ptr<Seat>& seat) {
  bool is_initialized = false;
  std::unique_lock lock(state->mutex);
  for (;;) {
    seat->came.wait(lock, [&] { return seat->call || state->closed; });
    if (!seat->call) return;
    auto call = std::exchange(seat->call, nullptr);
    lock.unlock();
    if (!is_initialized) is_initialized = state->initialize();
    call(is_initialized);
    call = nullptr;
    lock.lock();
    if (state->closed) return;
    state->idle.push_back(seat);
  }
}

}  // namespace osiiso::queue
