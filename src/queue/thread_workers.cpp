// SPDX-License-Identifier: MIT
#include "queue/thread_workers.hpp"

#include <utility>

namespace osiiso::queue {
namespace {

thread_local const ThreadWorkers* workers_of_this_thread = nullptr;

}  // namespace

ThreadWorkers::ThreadWorkers(std::shared_ptr<Engine> engine, int limit)
    : engine_(std::move(engine)), limit_(limit) {}

ThreadWorkers::~ThreadWorkers() {
  {
    const auto lock = engine_->lock();
    stopping_ = true;
    work_.notify_all();
    time_.notify_all();
  }
  for (auto& thread : threads_) thread.join();
  if (timekeeper_.joinable()) timekeeper_.join();
}

void ThreadWorkers::start() {
  const auto lock = engine_->lock();
  if (std::exchange(started_, true)) return;
  if (engine_->startable()) wake();
}

bool ThreadWorkers::is_worker_thread() const {
  return workers_of_this_thread == this;
}

void ThreadWorkers::wake() {
  if (!started_ || stopping_) return;
  if (idle_ > woken_) {
    ++woken_;
    work_.notify_one();
  } else if (static_cast<int>(threads_.size()) < limit_) {
    seats_.emplace_back();
    threads_.emplace_back();
    seat_thread(static_cast<int>(threads_.size()) - 1);
  }
}

void ThreadWorkers::alarm(Instant at) {
  if (stopping_ || (alarm_at_ && *alarm_at_ <= at)) return;
  alarm_at_ = at;
  if (timekeeper_.joinable()) {
    time_.notify_one();
  } else {
    timekeeper_ = std::thread([this] { keep_time(); });
  }
}

void ThreadWorkers::replace(int worker) {
  seats_[static_cast<std::size_t>(worker)]->abandoned = true;
  threads_[static_cast<std::size_t>(worker)].detach();
  seat_thread(worker);
}

void ThreadWorkers::seat_thread(int worker) {
  auto seat = std::make_shared<Seat>(Seat{.worker = worker});
  seats_[static_cast<std::size_t>(worker)] = seat;
  threads_[static_cast<std::size_t>(worker)] =
      std::thread([this, seat = std::move(seat)] { serve(*seat); });
}

void ThreadWorkers::serve(const Seat& seat) {
  workers_of_this_thread = this;
  const auto engine = engine_;
  auto lock = engine->lock();
  while (!stopping_) {
    const auto next = engine->next();
    if (const auto* start = std::get_if<scheduler::Start>(&next)) {
      const auto attempt = engine->start(*start, seat.worker);
      // Whoever is woken looks for more in turn, so that nobody wakes a crowd.
      if (engine->startable()) wake();
      lock.unlock();
      auto outcome = execute(attempt.body, attempt.context);
      lock.lock();
      engine->end(attempt, std::move(outcome));
      // An abandoned thread may outlive this object: not a member is touched from here on.
      if (seat.abandoned) return;
      continue;
    }
    // One thread keeps the time for all, lest every idle worker wake at each instant.
    if (const auto* wait = std::get_if<scheduler::Wait>(&next)) alarm(wait->until);
    ++idle_;
    work_.wait(lock);
    --idle_;
    if (woken_ > 0) --woken_;
  }
}

void ThreadWorkers::keep_time() {
  auto lock = engine_->lock();
  while (!stopping_) {
    if (!alarm_at_) {
      time_.wait(lock);
    } else if (base::now() < *alarm_at_) {
      time_.wait_until(lock, *alarm_at_);
    } else {
      alarm_at_.reset();
      engine_->tick();
    }
  }
}

}  // namespace osiiso::queue
