// SPDX-License-Identifier: MIT
// What starts, what ends by itself, and what time does to both.
#include <algorithm>
#include <cassert>

#include "scheduler/core.hpp"

namespace osiiso::scheduler {

Next Core::next(Instant now) {
  due(now);
  if (running_ >= workers_) return Idle{};
  const bool any_ready = !ready_.empty();
  if (any_ready && gate_.is_open(now_)) return start(ready_.top());
  std::optional<Instant> until = next_due();
  if (any_ready) until = until ? std::min(*until, gate_.opens_at()) : gate_.opens_at();
  if (until) return Wait{*until};
  return Idle{};
}

Start Core::start(Index id) {
  gate_.take(now_);
  Task& task = tasks_[id];
  // The seat first, so that the next of the group moves up only if there is another seat.
  if (task.group != kNone) ++groups_[task.group].taken;
  take_out(id);
  ++running_;
  ++task.attempts;
  task.state = State::running;
  limit(id, now_);
  return {TaskIndex{id}, task.attempts};
}

void Core::limit(Index id, Instant from) {
  Task& task = tasks_[id];
  if (!task.rules->timeout) return;
  task.at = base::saturating_add(from, *task.rules->timeout);
  task.place = Place::timers;
  timers_.push(id);
}

void Core::count_timeout_from(TaskIndex task, int attempt, Instant from) {
  const auto id = static_cast<Index>(task);
  if (tasks_[id].state != State::running || tasks_[id].attempts != attempt) return;
  take_out(id);
  limit(id, from);
}

std::optional<Verdict> Core::finished(TaskIndex task, int attempt, Outcome outcome, Instant now) {
  advance(now);
  const auto id = static_cast<Index>(task);
  if (forget_deaf(id, attempt)) {
    give_up_overdue();
    settle();
    return std::nullopt;
  }
  const Task& ended = tasks_[id];
  const bool under_way = ended.state == State::running || ended.state == State::stopping;
  if (!under_way || ended.attempts != attempt) return std::nullopt;

  Verdict verdict = outcome.succeeded ? Verdict::succeeded : Verdict::failed;
  bool retryable = outcome.retryable;
  if (ended.state == State::stopping) {
    verdict = ended.timed_out ? Verdict::timed_out : Verdict::cancelled;
    retryable = ended.rules->retry_timeouts;
  }
  end_attempt(id, verdict, retryable);
  settle();
  return verdict;
}

/// Frees what the attempt held, then decides what becomes of the task.
void Core::end_attempt(Index id, Verdict verdict, bool retryable) {
  take_out(id);
  --running_;
  Task& task = tasks_[id];
  if (task.group != kNone) {
    --groups_[task.group].taken;
    promote(groups_[task.group]);
  }
  if (verdict == Verdict::succeeded) return finalise(id, State::succeeded);
  if (verdict == Verdict::cancelled) return finalise(id, State::cancelled, CancelReason::cancelled);
  if (retryable && task.attempts <= task.rules->retries && is_spared(task)) return retry(id);
  finalise(id, State::failed);
}

void Core::retry(Index id) {
  Task& task = tasks_[id];
  task.timed_out = false;
  const Duration wait = retry_wait(*task.rules, task.attempts, jitter_);
  effects_.push_back(RetryScheduled{TaskIndex{id}, task.attempts, wait});
  if (wait > Duration::zero()) {
    schedule(id, base::saturating_add(now_, wait));
  } else {
    make_ready(id);
  }
}

void Core::ask_to_stop(Index id, StopRequested::Why why) {
  take_out(id);
  Task& task = tasks_[id];
  task.state = State::stopping;
  task.timed_out = why == StopRequested::Why::timeout;
  effects_.push_back(StopRequested{TaskIndex{id}, task.attempts, why});
  if (task.rules->abandon_after) {
    task.at = base::saturating_add(now_, *task.rules->abandon_after);
    task.place = Place::timers;
    timers_.push(id);
  }
}

void Core::give_up(Index id) {
  Task& task = tasks_[id];
  const Verdict verdict = task.timed_out ? Verdict::timed_out : Verdict::cancelled;
  deaf_.push_back({id, task.attempts});
  ++task.deaf;
  effects_.push_back(Abandoned{TaskIndex{id}, task.attempts, verdict});
  end_attempt(id, verdict, task.rules->retry_timeouts);
}

/// As many as there may be; the rest keep their workers and seats.
void Core::give_up_overdue() {
  while (!overdue_.empty() && deaf_.size() < workers_) {
    give_up(overdue_.top());
    settle();
  }
}

/// Whether the attempt was one that had been given up. Looks through at most as many as there are
/// workers, and only for a task that has one.
bool Core::forget_deaf(Index id, int attempt) {
  if (tasks_[id].deaf == 0) return false;
  const auto found = std::find_if(deaf_.begin(), deaf_.end(), [&](const DeafAttempt& deaf) {
    return deaf.task == id && deaf.attempt == attempt;
  });
  if (found == deaf_.end()) return false;
  *found = deaf_.back();
  deaf_.pop_back();
  if (--tasks_[id].deaf == 0 && tasks_[id].released) free_index(id);
  return true;
}

void Core::due(Instant now) {
  advance(now);
  settle();
  give_up_overdue();
  for (;;) {
    const Instant timer = timers_.empty() ? Instant::max() : tasks_[timers_.top()].at;
    if (deadline_ && *deadline_ <= now_ && *deadline_ < timer) {
      deadline_.reset();
      raise_halt(rules_.on_timeout == OnTimeout::complete ? Halt::spare_must_complete
                                                          : Halt::spare_finally,
                 true);
    } else if (!timers_.empty() && timer <= now_) {
      expire_timer(timers_.top());
    } else {
      return;
    }
    settle();
    give_up_overdue();
  }
}

void Core::expire_timer(Index id) {
  Task& task = tasks_[id];
  switch (task.state) {
    case State::scheduled:
      take_out(id);
      make_ready(id);
      break;
    case State::running:
      ask_to_stop(id, StopRequested::Why::timeout);
      break;
    case State::stopping:
      take_out(id);
      task.place = Place::overdue;
      overdue_.push(id);
      break;
    default:
      assert(false && "no other state has a timer");
  }
}

std::optional<Instant> Core::next_due() const {
  const bool overdue = !overdue_.empty() && deaf_.size() < workers_;
  if (overdue || run_finallys_due()) return now_;
  std::optional<Instant> first = deadline_;
  if (!timers_.empty()) {
    const Instant timer = tasks_[timers_.top()].at;
    first = first ? std::min(*first, timer) : timer;
  }
  return first;
}

void Core::begin_run(Instant now, std::optional<Duration> timeout) {
  advance(now);
  halt_ = Halt::none;
  timed_out_ = false;
  deadline_.reset();
  if (timeout) deadline_ = base::saturating_add(now_, *timeout);
  settle();
}

void Core::limit_run(Instant now, Duration timeout) {
  advance(now);
  deadline_ = base::saturating_add(now_, timeout);
}

void Core::close(Instant now) {
  advance(now);
  closed_ = true;
  settle();
}

}  // namespace osiiso::scheduler
