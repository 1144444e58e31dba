// SPDX-License-Identifier: MIT
#include "queue/thread_workers.hpp"

#include <chrono>
#include <exception>
#include <utility>

#include "base/thread.hpp"

namespace osiiso::queue {
namespace {

using namespace std::chrono_literals;

// A thread that cannot be had is tried again after this, and the last hope of one is given up after
// that.
constexpr Duration kThreadPause = 100ms;
constexpr Duration kThreadPatience = 10s;

thread_local const ThreadWorkers* workers_of_this_thread = nullptr;

}  // namespace

ThreadWorkers::ThreadWorkers(std::shared_ptr<Engine> engine, int limit, MakeRunner make_runner)
    : engine_(std::move(engine)), limit_(limit), make_runner_(std::move(make_runner)) {}

ThreadWorkers::~ThreadWorkers() {
  {
    const Engine::Turn turn(*engine_);
    stopping_ = true;
    called_.store(true, std::memory_order_relaxed);
    work_.notify_all();
  }
  {
    const std::lock_guard lock(time_mutex_);
    time_is_over_ = true;
    time_.notify_one();
  }
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  if (timekeeper_.joinable()) timekeeper_.join();
}

void ThreadWorkers::start() {
  const Engine::Turn turn(*engine_);
  if (!timekeeper_.joinable()) {
    timekeeper_ = base::start_thread("the thread that keeps the time", [this] { keep_time(); });
  }
  lack_.reset();
  started_ = true;
}

bool ThreadWorkers::is_worker_thread() const {
  return workers_of_this_thread == this;
}

void ThreadWorkers::wake() {
  if (!started_ || stopping_) return;
  // Whoever is on its way looks for more in turn, so that nobody wakes a crowd.
  if (lingering_) {
    called_.store(true, std::memory_order_relaxed);
  } else if (woken_ > 0) {
    return;
  } else if (idle_ > 0) {
    ++woken_;
    work_.notify_one();
  } else if (thread_count() < limit_) {
    add_thread();
  }
}

void ThreadWorkers::add_thread() {
  if (vacant_.empty()) {
    vacant_.push_back(static_cast<int>(threads_.size()));
    seats_.emplace_back();
    threads_.emplace_back();
  }
  try {
    seat_thread(vacant_.back());
    vacant_.pop_back();
    lack_.reset();
  } catch (const SystemError& failed) {
    // As long as there are others, they do its work.
    if (thread_count() == 0 && !lack_) lack_ = {failed, base::now()};
    alarm(base::saturating_add(base::now(), kThreadPause));
  }
}

int ThreadWorkers::thread_count() const {
  return static_cast<int>(threads_.size() - vacant_.size());
}

void ThreadWorkers::alarm(Instant at) {
  const std::lock_guard lock(time_mutex_);
  if (alarm_at_ && *alarm_at_ <= at) return;
  alarm_at_ = at;
  time_.notify_one();
}

void ThreadWorkers::replace(int worker) {
  std::exchange(seats_[static_cast<std::size_t>(worker)], nullptr)->abandoned = true;
  threads_[static_cast<std::size_t>(worker)].detach();
  vacant_.push_back(worker);
  add_thread();
}

void ThreadWorkers::seat_thread(int worker) {
  auto seat = std::make_shared<Seat>(Seat{.worker = worker});
  std::shared_ptr<AttemptRunner> runner = make_runner_();
  seat->runner = runner;
  threads_[static_cast<std::size_t>(worker)] =
      base::start_thread("a worker thread", [this, seat, runner = std::move(runner)]() mutable {
        serve(*seat, *runner);
        runner.reset();  // here, so that all of them end at the same time
      });
  seats_[static_cast<std::size_t>(worker)] = std::move(seat);
}

void ThreadWorkers::end_run() {
  std::vector<std::shared_ptr<AttemptRunner>> runners;
  {
    const Engine::Turn turn(*engine_);
    for (const auto& seat : seats_) {
      if (seat) runners.push_back(seat->runner.lock());
    }
  }
  for (const auto& runner : runners) {
    if (runner) runner->end_run();
  }
}

void ThreadWorkers::serve(const Seat& seat, AttemptRunner& runner) {
  workers_of_this_thread = this;
  const auto engine = engine_;
  std::optional<Attempt> attempt;
  AttemptOutcome outcome;
  Rest rest = Rest::none;
  for (;;) {
    std::optional<Attempt> next;
    {
      // The end of one attempt and the start of the next are one turn.
      Engine::Turn turn(*engine);
      if (attempt) engine->end(*attempt, std::move(outcome), turn);
      // An abandoned thread may outlive this object: not a member is touched from here on.
      if (seat.abandoned || stopping_) return;
      const Rest rested = std::exchange(rest, Rest::none);
      if (rested == Rest::lingered) lingering_ = false;
      if (rested == Rest::slept && woken_ > 0) --woken_;
      next = start_next(seat, turn);
      // Not before the ended one was let go of: outside the lock, for what it holds is the user's.
      const bool is_free = !next && !attempt && !engine->has_notices();
      if (is_free) rest = wait_for_work(turn, rested, runner);
    }
    attempt = std::move(next);
    outcome = {};
    if (rest == Rest::lingered) linger();
    if (!attempt) continue;
    if (!make_ready(runner, *attempt)) continue;
    engine->announce(*attempt);
    outcome = execute(runner, attempt->body, attempt->context);
    engine->record(*attempt, outcome);
  }
}

/// False: all is cancelled, this attempt too.
bool ThreadWorkers::make_ready(AttemptRunner& runner, const Attempt& attempt) const {
  return runner.is_ready() ||
         engine_->make_ready(attempt, [&] { runner.prepare(attempt.context); });
}

std::optional<Attempt> ThreadWorkers::start_next(const Seat& seat, Engine::Turn& turn) {
  const auto next = engine_->next(turn);
  if (const auto* start = std::get_if<scheduler::Start>(&next)) {
    auto attempt = engine_->start(*start, seat.worker, turn);
    if (engine_->startable()) wake();
    return attempt;
  }
  // One thread keeps the time for all, lest every idle worker wake at each instant.
  if (const auto* wait = std::get_if<scheduler::Wait>(&next)) alarm(wait->until);
  return {};
}

/// Sleep and its end cost more than many a task: where tasks come one by one, the next is near, and
/// one worker looks out for it, without the lock, before it sleeps.
ThreadWorkers::Rest ThreadWorkers::wait_for_work(Engine::Turn& turn, Rest rested,
                                                 AttemptRunner& runner) {
  if (rested != Rest::lingered && !lingering_) {
    lingering_ = true;
    called_.store(false, std::memory_order_relaxed);
    return Rest::lingered;
  }
  runner.rest();
  ++idle_;
  work_.wait(turn.lock());
  --idle_;
  return Rest::slept;
}

void ThreadWorkers::linger() const {
  constexpr int kLooks = 100;
  for (int look = 0; look < kLooks && !called_.load(std::memory_order_relaxed); ++look) {
    std::this_thread::yield();
  }
}

void ThreadWorkers::keep_time() {
  while (wait_for_alarm()) {
    std::optional<SystemError> hopeless;
    {
      Engine::Turn turn(*engine_);
      engine_->tick(turn);
      hopeless = give_up_threads();
    }
    if (hopeless) engine_->fail(std::make_exception_ptr(*hopeless));
  }
}

/// False where there will be none any more.
bool ThreadWorkers::wait_for_alarm() {
  std::unique_lock lock(time_mutex_);
  while (!time_is_over_) {
    if (!alarm_at_) {
      time_.wait(lock);
    } else if (base::now() < *alarm_at_) {
      time_.wait_until(lock, base::timer_instant(*alarm_at_));
    } else {
      alarm_at_.reset();
      return true;
    }
  }
  return false;
}

/// Why there is nobody to work, when that has been so for too long.
std::optional<SystemError> ThreadWorkers::give_up_threads() {
  if (!lack_ || base::now() - lack_->since < kThreadPatience) return {};
  return std::exchange(lack_, std::nullopt)->failure;
}

}  // namespace osiiso::queue
