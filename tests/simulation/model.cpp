// SPDX-License-Identifier: MIT
#include "simulation/model.hpp"

#include <algorithm>
#include <cmath>

namespace osiiso::simulation {

using namespace scheduler;
using Why = StopRequested::Why;

void Model::require(bool holds, const std::string& what, const Task* task) const {
  if (holds) return;
  throw Violation(what + (task ? " (task " + std::to_string(task->id) + ")" : "") + " at " +
                  std::to_string(now_.time_since_epoch() / std::chrono::milliseconds(1)) + " ms");
}

void Model::note(std::uint64_t value) {
  trace_ = (trace_ ^ value) * 1099511628211u;
}

Model::Task& Model::find(TaskIndex index) {
  const auto found = std::find_if(tasks_.rbegin(), tasks_.rend(), [&](const Task& task) {
    return !task.released && task.index == index;
  });
  require(found != tasks_.rend(), "an effect names nobody");
  return *found;
}

Model::Task& Model::add(TaskIndex index, const TaskSpec& spec, std::optional<int> group_id) {
  for (const Task& other : tasks_) {
    require(other.released || other.index != index, "an index in use was given away", &other);
    if (other.index == index) mark("index used again");
  }
  for (const Deaf& deaf : deaf_) {
    require(task(deaf.task).index != index, "an index with a deaf attempt was given away");
  }
  Task made;
  made.id = static_cast<int>(tasks_.size());
  made.index = index;
  made.rules = *spec.rules;
  made.group = group_id;
  made.finally = spec.finally;
  made.delay = spec.delay.value_or(Duration(0));
  if (group_id) group(*group_id).members.push_back(made.id);
  note(static_cast<std::uint64_t>(index));
  return tasks_.emplace_back(made);
}

void Model::accepted(Task& task, Instant now) {
  task.accepted = true;
  task.due = now + task.delay;
}

void Model::cancelled(Task& task, bool answer) {
  require(answer == !task.end, "cancel() answers whether it is not final yet", &task);
  if (!answer) return;
  task.promised = true;
  if (!task.stop) return;
  if (*task.stop == Why::timeout) mark("cancel during the stop after a timeout");
  task.stop = Why::cancel;
}

std::optional<Verdict> Model::report(int id, int attempt, Outcome outcome) {
  const auto deaf = std::find_if(deaf_.begin(), deaf_.end(), [&](const Deaf& given_up) {
    return given_up.task == id && given_up.attempt == attempt;
  });
  if (deaf != deaf_.end()) {
    deaf_.erase(deaf);
    mark("late report dropped");
    if (task(id).released) mark("late report of a released task");
    if (task(id).under_way) mark("late report during a later attempt");
    return std::nullopt;
  }
  Task& reported = task(id);
  if (!reported.under_way || reported.attempts != attempt) {
    mark("double report dropped");
    return std::nullopt;
  }
  reported.under_way = false;
  reported.retryable = outcome.retryable;
  if (!reported.stop) {
    reported.verdict = outcome.succeeded ? Verdict::succeeded : Verdict::failed;
  } else if (*reported.stop == Why::timeout) {
    reported.verdict = Verdict::timed_out;
    reported.retryable = reported.rules.retry_timeouts;
  } else {
    reported.verdict = Verdict::cancelled;
  }
  return reported.verdict;
}

void Model::begin_run(Instant now, std::optional<Duration> timeout) {
  halt_ = asked_halt_ = Halt::none;
  timed_out_ = false;
  deadline_.reset();
  if (timeout) deadline_ = now + *timeout;
}

// What may be concluded.

std::optional<State> Model::group_end(int id) const {
  const Group& group = groups_[static_cast<std::size_t>(id)];
  if (!group.sealed) return std::nullopt;
  bool failed = false;
  bool cancelled = false;
  for (const int member : group.members) {
    const auto& end = tasks_[static_cast<std::size_t>(member)].end;
    if (!end) return std::nullopt;
    failed |= *end == State::failed;
    cancelled |= *end == State::cancelled;
  }
  return failed ? State::failed : cancelled ? State::cancelled : State::succeeded;
}

std::optional<State> Model::need_end(const NeedOf& need) const {
  return std::holds_alternative<GroupIndex>(need.need)
             ? group_end(need.id)
             : tasks_[static_cast<std::size_t>(need.id)].end;
}

bool Model::needs_are_met(const Task& task) const {
  return std::all_of(task.needs.begin(), task.needs.end(),
                     [&](const NeedOf& need) { return need_end(need) == State::succeeded; });
}

bool Model::run_body_is_over() const {
  if (rules_.mode == Mode::infinite && halt_ == Halt::none && !closed_) return false;
  return std::all_of(tasks_.begin(), tasks_.end(),
                     [](const Task& task) { return task.end || task.finally == Scope::run; });
}

/// Whether a finally task has nobody left to wait for; true for others.
bool Model::is_open(const Task& task) const {
  if (task.finally == Scope::none) return true;
  if (task.finally == Scope::run) return task.may_be_open;
  const Group& group = groups_[static_cast<std::size_t>(*task.group)];
  return group.sealed && std::all_of(group.members.begin(), group.members.end(), [&](int member) {
           const Task& other = tasks_[static_cast<std::size_t>(member)];
           return other.end || other.finally != Scope::none;
         });
}

bool Model::is_spared(const Task& task) const {
  if (halt_ == Halt::none) return true;
  if (halt_ == Halt::spare_nothing) return false;
  return task.finally != Scope::none ||
         (halt_ == Halt::spare_must_complete && task.rules.must_complete);
}

std::size_t Model::running() const {
  return static_cast<std::size_t>(
      std::count_if(tasks_.begin(), tasks_.end(), [](const Task& task) { return task.under_way; }));
}

bool Model::has_seat(const Task& task) const {
  if (!task.group) return true;
  const Group& group = groups_[static_cast<std::size_t>(*task.group)];
  const auto taken = std::count_if(group.members.begin(), group.members.end(), [&](int member) {
    return tasks_[static_cast<std::size_t>(member)].under_way;
  });
  return group.seats == 0 || static_cast<std::size_t>(taken) < group.seats;
}

/// But for a worker and the gate.
bool Model::may_start(const Core& core, const Task& task) const {
  if (!task.accepted || task.end || task.under_way || task.due > now_) return false;
  // Whether these two have to wait longer is not to be seen from their ends alone.
  const bool is_held = rules_.size > 0 || task.finally == Scope::run;
  if (is_held && core.state(task.index) == State::waiting) return false;
  return is_spared(task) && needs_are_met(task) && has_seat(task) &&
         (task.finally == Scope::run || is_open(task));
}

std::size_t Model::admitted(const Core& core) const {
  return static_cast<std::size_t>(std::count_if(
      tasks_.begin(), tasks_.end(),
      [&](const Task& task) { return !task.end && core.state(task.index) != State::waiting; }));
}

/// No earlier than any window of the starts so far allows.
Instant Model::gate_opens() const {
  Instant opens = Instant::min();
  if (!rules_.rate) return opens;
  const auto interval = static_cast<std::int64_t>(std::ceil(1e9 / *rules_.rate));
  const auto count = static_cast<std::int64_t>(starts_.size());
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t intervals = count - i - rules_.burst + 1;
    if (intervals <= 0) break;
    opens = std::max(opens, starts_[static_cast<std::size_t>(i)] + Duration(intervals * interval));
  }
  return opens;
}

std::optional<Instant> Model::next_due(const Core& core) const {
  std::optional<Instant> first = deadline_;
  const auto consider = [&](Instant at) { first = first ? std::min(*first, at) : at; };
  for (const Task& task : tasks_) {
    if (task.end || !task.accepted) continue;
    if (!task.under_way) {
      if (core.state(task.index) == State::scheduled) consider(task.due);
    } else if (!task.stop) {
      if (task.rules.timeout) consider(task.timed_from + *task.rules.timeout);
    } else if (task.rules.abandon_after) {
      const Instant at = task.stop_at + *task.rules.abandon_after;
      if (at > now_ || deaf_.size() < rules_.workers) consider(at);
    }
  }
  return first;
}

// What happened.

void Model::take(Core& core, Instant now) {
  now_ = now;
  for (const Effect& effect : core.take_effects()) {
    require(!must_halt_ || std::holds_alternative<Halted>(effect), "the failure must halt the run");
    note(effect.index());
    std::visit([this](const auto& happened) { apply(happened); }, effect);
  }
  require(!must_halt_, "the failure must halt the run");
  require(halt_ >= asked_halt_, "halt() must halt");
}

void Model::check(const Core& core, bool timers_are_done) {
  core.check_invariants();
  check_states(core, timers_are_done);
  if (rules_.size > 0) check_room(core);
  if (timers_are_done) check_timers(core);
}

void Model::apply(const StopRequested& stop) {
  Task& task = find(stop.task);
  note(static_cast<std::uint64_t>(stop.why));
  require(task.under_way && task.attempts == stop.attempt, "stopped is what is under way", &task);
  if (stop.why == Why::kill) {
    require(halt_ == Halt::spare_nothing && !task.killed, "only a forced halt kills, once", &task);
    task.killed = true;
    if (task.stop) return mark("asked again by force");
  } else if (stop.why == Why::timeout) {
    require(task.rules.timeout && task.timed_from + *task.rules.timeout <= now_,
            "a timeout comes in its time", &task);
  } else {
    require(task.promised || !is_spared(task), "somebody cancelled it", &task);
  }
  require(!task.stop, "a stop is asked for once", &task);
  task.stop = stop.why;
  task.stop_at = now_;
}

void Model::apply(const Abandoned& abandoned) {
  Task& task = find(abandoned.task);
  require(task.under_way && task.attempts == abandoned.attempt, "given up is what ran", &task);
  require(task.stop && task.rules.abandon_after && task.stop_at + *task.rules.abandon_after <= now_,
          "an attempt is given up after its time to stop", &task);
  require(deaf_.size() < rules_.workers, "no more are given up than there are workers", &task);
  const bool timed_out = *task.stop == Why::timeout;
  require(abandoned.verdict == (timed_out ? Verdict::timed_out : Verdict::cancelled),
          "the verdict of what was given up", &task);
  mark(timed_out ? "given up after a timeout" : "given up after a cancel");
  if (task.stop_at + *task.rules.abandon_after < now_) mark("given up late");
  task.under_way = false;
  task.verdict = abandoned.verdict;
  task.retryable = task.rules.retry_timeouts;
  deaf_.push_back({task.id, abandoned.attempt});
}

void Model::apply(const RetryScheduled& retry) {
  Task& task = find(retry.task);
  require(task.verdict == Verdict::failed || task.verdict == Verdict::timed_out,
          "only failures are retried", &task);
  require(task.retryable && retry.attempt == task.attempts && task.attempts <= task.rules.retries,
          "a retry within the rules", &task);
  require(is_spared(task) && !task.promised, "a retry of what was not cancelled", &task);
  if (halt_ != Halt::none) mark("retry of a spared task while halted");

  const auto base = static_cast<long double>(task.rules.retry_delay.count()) *
                    std::pow(static_cast<long double>(task.rules.backoff), retry.attempt - 1);
  long double least = base * (1 - static_cast<long double>(task.rules.jitter));
  long double most = base * (1 + static_cast<long double>(task.rules.jitter));
  if (task.rules.max_delay) {
    least = std::min(least, static_cast<long double>(task.rules.max_delay->count()));
    most = std::min(most, static_cast<long double>(task.rules.max_delay->count()));
  }
  const auto wait = static_cast<long double>(retry.delay.count());
  require(wait >= least * (1 - 1e-12L) - 1 && wait <= most * (1 + 1e-12L) + 1,
          "the wait before a retry is within its bounds", &task);
  note(static_cast<std::uint64_t>(retry.delay.count()));
  task.verdict.reset();
  task.stop.reset();
  task.killed = false;
  task.due = now_ + retry.delay;
}

void Model::apply(const Finished& finished) {
  Task& task = find(finished.task);
  note(static_cast<std::uint64_t>(finished.state));
  note(static_cast<std::uint64_t>(finished.reason));
  require(!task.end, "a task is final once", &task);
  require(!task.under_way, "what is final does not run", &task);
  require(!task.promised || finished.state == State::cancelled, "cancel() keeps its word", &task);
  if (finished.state == State::succeeded) {
    require(task.verdict == Verdict::succeeded, "success is what was reported", &task);
  } else if (finished.state == State::failed) {
    require(task.verdict == Verdict::failed || task.verdict == Verdict::timed_out,
            "failure is what was reported", &task);
    require(!task.retryable || task.attempts > task.rules.retries || !is_spared(task),
            "what may be tried again is", &task);
    must_halt_ = rules_.fail_policy == FailPolicy::fail_first && halt_ == Halt::none;
    if (must_halt_ && task.verdict == Verdict::timed_out && !deaf_.empty()) {
      mark("fail_first with deaf attempts");
    }
  } else {
    check_cancelled(task, finished);
  }
  require((finished.reason == CancelReason::none) == (finished.state != State::cancelled),
          "the cancelled have a reason", &task);
  task.end = finished.state;
  task.verdict.reset();
}

void Model::check_cancelled(const Task& task, const Finished& finished) {
  const bool asked = task.promised || !is_spared(task);
  if (finished.reason == CancelReason::need_failed ||
      finished.reason == CancelReason::need_cancelled) {
    const bool failed = finished.reason == CancelReason::need_failed;
    require(task.attempts == 0 && !task.promised, "a need matters before the start", &task);
    require(std::any_of(task.needs.begin(), task.needs.end(),
                        [&](const NeedOf& need) {
                          return need.need == finished.need &&
                                 need_end(need) == (failed ? State::failed : State::cancelled);
                        }),
            "the need that is blamed ended so", &task);
    if (std::holds_alternative<GroupIndex>(*finished.need)) {
      mark(failed ? "need failed through a group" : "need cancelled through a group");
    }
    if (task.finally != Scope::none) mark("finally task cancelled for a need");
  } else if (finished.reason == CancelReason::before_execution) {
    require(asked && task.attempts == 0, "who never started was asked not to", &task);
  } else {
    require(asked || task.verdict == Verdict::cancelled, "somebody cancelled it", &task);
    require(task.attempts > 0, "it had started", &task);
    require(!task.verdict || task.verdict == Verdict::cancelled, "it ended as cancelled", &task);
    if (!task.verdict && !task.promised) mark("halt while a retry waited");
  }
}

void Model::apply(const Halted& halted) {
  note(static_cast<std::uint64_t>(halted.halt));
  require(halted.halt >= halt_, "a halt is never weakened");
  if (halted.timed_out) {
    require(deadline_ && *deadline_ <= now_, "the run's timeout comes in its time");
    mark(halt_ == Halt::none ? "run timed out" : "run timed out while halted");
    deadline_.reset();
    timed_out_ = true;
    const Halt least =
        rules_.on_timeout == OnTimeout::complete ? Halt::spare_must_complete : Halt::spare_finally;
    require(halted.halt == std::max(halt_, least), "on_timeout says whom to spare");
  } else if (must_halt_) {
    mark("fail_first tripped");
    require(halted.halt == Halt::spare_must_complete, "fail_first spares must_complete");
  } else {
    require(asked_halt_ == halted.halt && halted.halt > halt_, "somebody asked for the halt");
  }
  must_halt_ = false;
  halt_ = halted.halt;
}

// What can be seen between inputs.

void Model::check_states(const Core& core, bool timers_are_done) {
  const bool body_is_over = run_body_is_over();
  std::size_t unfinished = 0;
  std::size_t ready = 0;
  for (Task& task : tasks_) {
    if (task.finally == Scope::run && task.accepted && body_is_over) {
      task.may_be_open = true;
      task.must_be_open |= timers_are_done;
    }
    if (task.released) continue;
    const State state = core.state(task.index);
    require(!task.verdict, "an ended attempt leads to something", &task);
    require(core.attempts(task.index) == task.attempts, "attempts are counted", &task);
    require(is_final(state) == task.end.has_value() && (!task.end || *task.end == state),
            "an end is told and kept", &task);
    if (task.end) continue;
    unfinished += task.accepted;
    ready += state == State::ready;
    if (task.accepted) {
      require(is_spared(task) || task.stop, "a halt reaches whom it does not spare", &task);
      require(halt_ != Halt::spare_nothing || task.killed, "a forced halt asks everybody", &task);
      for (const NeedOf& need : task.needs) {
        const auto end = need_end(need);
        require(!end || *end == State::succeeded, "a need that ended otherwise cancels", &task);
      }
    }
    if (task.under_way) {
      require(state == (task.stop ? State::stopping : State::running), "it is under way", &task);
    } else if (state == State::waiting) {
      const bool open = task.finally == Scope::run ? task.must_be_open : is_open(task);
      require(rules_.size > 0 || !task.accepted || !needs_are_met(task) || !open,
              "nobody waits for nothing", &task);
    } else {
      require(state == State::scheduled || state == State::ready, "it waits for its time", &task);
      require(needs_are_met(task) && is_open(task), "nobody is ahead of what it needs", &task);
      require(state == State::scheduled || task.due <= now_, "nobody is ahead of time", &task);
      require(state == State::ready || !timers_are_done || task.due > now_, "it is due", &task);
    }
    if (state == State::ready && !has_seat(task)) {
      mark("ready without a seat");
      task.was_parked = true;
    }
  }
  require(core.unfinished() == unfinished, "unfinished tasks are counted");
  require(core.running() == running(), "running attempts are counted");
  require(core.ready() == ready, "ready tasks are counted");
  require(core.halted() == halt_ && core.timed_out() == timed_out_, "the halt is told");
}

void Model::check_room(const Core& core) {
  const std::size_t in_room = admitted(core);
  require(in_room <= rules_.size, "no more tasks than fit");
  for (Task& task : tasks_) {
    if (task.end || !task.accepted) continue;
    const bool waits = core.state(task.index) == State::waiting;
    if (task.was_waiting && !waits) {
      for (const Task& other : tasks_) {
        require(other.id >= task.id || other.end || !other.was_in_line ||
                    core.state(other.index) != State::waiting,
                "the line is kept", &task);
      }
      if (task.was_in_line) mark("admitted from the line");
    }
  }
  for (Task& task : tasks_) {
    if (task.end || !task.accepted) continue;
    const bool open = task.finally == Scope::run ? task.must_be_open : is_open(task);
    task.was_waiting = core.state(task.index) == State::waiting;
    task.was_in_line = task.was_waiting && needs_are_met(task) && open;
    require(!task.was_in_line || in_room == rules_.size, "nobody waits while there is room", &task);
  }
}

void Model::check_timers(const Core& core) {
  const auto due = next_due(core);
  require(!due || *due > now_, "what is due is done");
  require(core.next_due() == due, "next_due() is the next instant at which something is due");
  for (const Task& task : tasks_) {
    if (task.under_way && task.stop && task.rules.abandon_after &&
        task.stop_at + *task.rules.abandon_after <= now_) {
      mark("deaf beyond the limit");
    }
  }
}

void Model::found(const Core& core, const Next& next) {
  const bool has_worker = running() < rules_.workers;
  const Task* best = nullptr;
  for (const Task& task : tasks_) {
    if (!may_start(core, task)) continue;
    if (!best || task.rules.priority < best->rules.priority) best = &task;
  }
  const bool gate_is_open = gate_opens() <= now_;
  note(next.index());
  if (const auto* start = std::get_if<Start>(&next)) {
    Task& task = find(start->task);
    require(has_worker, "there is a worker", &task);
    require(gate_is_open, "the gate is open", &task);
    require(best == &task, "the best that may start starts", &task);
    require(start->attempt == task.attempts + 1 && task.attempts <= task.rules.retries,
            "attempts are numbered and bounded", &task);
    if (task.was_parked) mark("parked and started");
    task.was_parked = false;
    ++task.attempts;
    task.under_way = true;
    task.timed_from = now_;
    starts_.push_back(now_);
    note(static_cast<std::uint64_t>(task.id));
    return;
  }
  require(!has_worker || !best || !gate_is_open, "whoever can start does", best);
  std::optional<Instant> until = next_due(core);
  if (best) until = until ? std::min(*until, gate_opens()) : gate_opens();
  if (has_worker && best) mark("waited for the gate");
  const auto* wait = std::get_if<Wait>(&next);
  require((wait != nullptr) == (has_worker && until), "a free worker waits for what will come");
  require(!wait || wait->until == *until, "it waits until then");
}

void Model::check_over(const Core& core) const {
  require(core.unfinished() == 0, "everything is over");
  require(core.running() == 0 && core.ready() == 0, "nothing is left");
  for (const Task& task : tasks_) {
    require(task.end.has_value(), "everybody has an end", &task);
    require(task.attempts <= 1 + task.rules.retries, "attempts are bounded", &task);
  }
}

}  // namespace osiiso::simulation
