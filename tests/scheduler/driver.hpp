// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <initializer_list>
#include <string>
#include <vector>

#include "scheduler/core.hpp"

namespace osiiso::scheduler::testing {

using namespace std::chrono_literals;

/// What a test says of a task; everything else has its default.
struct Setup {
  TaskRules rules = {};
  std::optional<GroupIndex> group = {};
  Scope finally = Scope::none;
  std::optional<Duration> delay = {};
  std::vector<Need> needs = {};
};

/// A core with a clock that is turned by hand, tasks that have names, and effects as lines of text,
/// so that a test says at once what happened and that nothing else did. Checks the core's
/// invariants after every input.
class Driver {
 public:
  explicit Driver(QueueRules rules = {}) : core(rules) {}

  TaskIndex add(const std::string& name, Setup setup = {}) {
    const TaskRules* rules = &rules_.emplace_back(setup.rules);
    const TaskIndex task = core.add(
        {.rules = rules, .group = setup.group, .finally = setup.finally, .delay = setup.delay});
    if (names_.size() <= static_cast<std::size_t>(task)) {
      names_.resize(static_cast<std::size_t>(task) + 1);
    }
    names_[static_cast<std::size_t>(task)] = name;
    for (const Need& need : setup.needs) core.need(task, need);
    return task;
  }
  void accept(std::initializer_list<TaskIndex> tasks) {
    for (const TaskIndex task : tasks) core.accept(task, now);
    core.check_invariants();
  }
  TaskIndex submit(const std::string& name, Setup setup = {}) {
    const TaskIndex task = add(name, std::move(setup));
    accept({task});
    return task;
  }
  void seal(GroupIndex group) {
    core.seal(group);
    core.check_invariants();
  }

  /// `a1` (task a, attempt 1), `wait 5`, or `idle`.
  std::string next() {
    const Next found = core.next(now);
    core.check_invariants();
    if (const auto* start = std::get_if<Start>(&found)) {
      return name(start->task) + std::to_string(start->attempt);
    }
    if (const auto* wait = std::get_if<Wait>(&found)) return "wait " + time(wait->until);
    return "idle";
  }
  /// Everything that can start now, in order.
  std::string start_all() {
    std::string all;
    for (std::string one = next(); one != "idle" && !one.starts_with("wait"); one = next()) {
      if (!all.empty()) all += ' ';
      all += one;
    }
    return all;
  }

  std::string succeed(TaskIndex task) { return report(task, core.attempts(task), {}); }
  std::string fail(TaskIndex task, bool retryable = true) {
    return report(task, core.attempts(task), {.succeeded = false, .retryable = retryable});
  }
  std::string report(TaskIndex task, int attempt, Outcome outcome) {
    const auto verdict = core.finished(task, attempt, outcome, now);
    core.check_invariants();
    static constexpr const char* kNames[] = {"succeeded", "failed", "timed out", "cancelled"};
    return verdict ? kNames[static_cast<int>(*verdict)] : "stale";
  }
  bool cancel(TaskIndex task) {
    const bool cancelled = core.cancel(task, now);
    core.check_invariants();
    return cancelled;
  }
  void count_timeout_from(TaskIndex task, Duration from) {
    core.count_timeout_from(task, core.attempts(task), Instant{from});
    core.check_invariants();
  }
  void halt(Halt halt) {
    core.halt(halt, now);
    core.check_invariants();
  }
  void begin_run(std::optional<Duration> timeout = {}) {
    core.begin_run(now, timeout);
    core.check_invariants();
  }
  void close() {
    core.close(now);
    core.check_invariants();
  }
  /// Turns the clock on and does what is due.
  void pass(Duration span) {
    now += span;
    core.due(now);
    core.check_invariants();
  }
  std::string due() const {
    const auto due = core.next_due();
    return due ? time(*due) : "never";
  }

  /// What happened since the last call: `stop a1 timeout; retry a1 2; a failed`.
  std::string happened() {
    std::string all;
    for (const Effect& effect : core.take_effects()) {
      if (!all.empty()) all += "; ";
      all += describe(effect);
    }
    return all;
  }

  Core core;
  Instant now{};

 private:
  std::string name(TaskIndex task) const { return names_[static_cast<std::size_t>(task)]; }
  std::string name(TaskIndex task, int attempt) const {
    return name(task) + std::to_string(attempt);
  }
  static std::string time(Instant at) { return time(at.time_since_epoch()); }
  /// In seconds, with milliseconds where there are any.
  static std::string time(Duration span) {
    const auto milliseconds = span / 1ms;
    std::string text = std::to_string(milliseconds / 1000);
    if (const auto rest = milliseconds % 1000) {
      text.append(".").append(std::to_string(1000 + rest), 1);
    }
    return text;
  }
  std::string describe(const Effect& effect) const {
    static constexpr const char* kHalts[] = {"none", "must_complete", "finally", "nothing"};
    if (const auto* stop = std::get_if<StopRequested>(&effect)) {
      static constexpr const char* kWhy[] = {"timeout", "cancel", "kill"};
      return "stop " + name(stop->task, stop->attempt) + " " + kWhy[static_cast<int>(stop->why)];
    }
    if (const auto* given_up = std::get_if<Abandoned>(&effect)) {
      return "abandon " + name(given_up->task, given_up->attempt) +
             (given_up->verdict == Verdict::timed_out ? " timed out" : " cancelled");
    }
    if (const auto* retry = std::get_if<RetryScheduled>(&effect)) {
      return "retry " + name(retry->task, retry->attempt) + " " + time(retry->delay);
    }
    if (const auto* halted = std::get_if<Halted>(&effect)) {
      return std::string("halt, spare ") + kHalts[static_cast<int>(halted->halt)] +
             (halted->timed_out ? ", timed out" : "");
    }
    const auto& finished = std::get<Finished>(effect);
    std::string text = name(finished.task);
    if (finished.state == State::succeeded) return text + " succeeded";
    if (finished.state == State::failed) return text + " failed";
    switch (finished.reason) {
      case CancelReason::none:
        return text + " cancelled for no reason";
      case CancelReason::before_execution:
        return text + " never started";
      case CancelReason::cancelled:
        return text + " cancelled";
      case CancelReason::need_failed:
        text += " needs failed ";
        break;
      case CancelReason::need_cancelled:
        text += " needs cancelled ";
        break;
    }
    if (const auto* task = std::get_if<TaskIndex>(&*finished.need)) return text + name(*task);
    return text + "group " +
           std::to_string(static_cast<unsigned>(std::get<GroupIndex>(*finished.need)));
  }

  std::deque<TaskRules> rules_;
  std::vector<std::string> names_;
};

}  // namespace osiiso::scheduler::testing
