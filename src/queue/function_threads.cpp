// SPDX-License-Identifier: MIT
#include "queue/function_threads.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace osiiso::queue {

struct FunctionThreads::Seat {
  std::thread thread;
  std::optional<Work> work;  // to be done next
  std::condition_variable came;
  bool is_waiting = false;
};

struct FunctionThreads::State {
  std::mutex mutex;
  std::vector<std::shared_ptr<Seat>> seats;
  std::deque<std::shared_ptr<Seat>> idle;  // free for work; the last may still be reporting
  bool closed = false;
};

FunctionThreads::FunctionThreads() : state_(std::make_shared<State>()) {}

FunctionThreads::~FunctionThreads() {
  close();
}

void FunctionThreads::run(Work work) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->idle.empty()) {
    const auto seat = std::move(state_->idle.front());
    state_->idle.pop_front();
    seat->work = std::move(work);
    seat->came.notify_one();
    return;
  }
  const auto seat = std::make_shared<Seat>();
  seat->work = std::move(work);
  seat->thread = std::thread([state = state_, seat] { serve(state, seat); });
  if (state_->closed) {
    seat->thread.detach();
  } else {
    state_->seats.push_back(seat);
  }
}

void FunctionThreads::close() {
  std::vector<std::shared_ptr<Seat>> waiting;
  {
    const std::lock_guard lock(state_->mutex);
    state_->closed = true;
    state_->idle.clear();
    for (const auto& seat : std::exchange(state_->seats, {})) {
      if (seat->is_waiting && !seat->work) {
        seat->came.notify_one();
        waiting.push_back(seat);
      } else {
        seat->thread.detach();
      }
    }
  }
  for (const auto& seat : waiting) seat->thread.join();
}

void FunctionThreads::serve(const std::shared_ptr<State>& state,
                            const std::shared_ptr<Seat>& seat) {
  bool is_initialized = false;
  std::unique_lock lock(state->mutex);
  for (;;) {
    seat->is_waiting = true;
    seat->came.wait(lock, [&] { return seat->work || state->closed; });
    seat->is_waiting = false;
    if (!seat->work) return;
    auto work = std::exchange(seat->work, std::nullopt);
    lock.unlock();
    work->call(is_initialized);
    lock.lock();
    if (!state->closed) state->idle.push_back(seat);
    lock.unlock();
    work->report();
    work.reset();
    lock.lock();
  }
}

}  // namespace osiiso::queue
