// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "scheduler/core.hpp"

namespace osiiso::simulation {

using scheduler::Instant;

/// The core did what it must not, or not what it must.
class Violation : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// How often the rare was reached.
using Marks = std::map<std::string, std::uint64_t>;

/// What is known of the tasks from outside, by the inputs that were given and the effects that were
/// seen, and what must therefore be true. Shares no code with the core: everything is searched for
/// anew, in the plainest way.
class Model {
 public:
  struct NeedOf {
    scheduler::Need need;
    int id;  // of a task or a group of the model, which keep theirs
  };
  struct Task {
    int id = 0;  // also the order of submission
    scheduler::TaskIndex index{};
    scheduler::TaskRules rules;
    std::optional<int> group;
    scheduler::Scope finally = scheduler::Scope::none;
    Duration delay{0};
    std::vector<NeedOf> needs;

    bool accepted = false;
    bool released = false;
    Instant due{};  // once accepted; after a failed attempt, when it may be tried again
    int attempts = 0;
    bool under_way = false;
    Instant timed_from{};                               // what its timeout counts from
    std::optional<scheduler::StopRequested::Why> stop;  // what its end will count as
    Instant stop_at{};
    bool killed = false;
    bool promised = false;  // cancel() said that it will end cancelled
    /// The attempt has ended; an effect must say what follows.
    std::optional<scheduler::Verdict> verdict;
    bool retryable = true;
    std::optional<scheduler::State> end;
    // For a finally task of the run: it may, and it must, have seen the end of the others.
    bool may_be_open = false;
    bool must_be_open = false;
    bool was_in_line = false;
    bool was_waiting = true;
    bool was_parked = false;
  };
  struct Group {
    scheduler::GroupIndex index{};
    std::size_t seats = 0;
    bool sealed = false;
    bool released = false;
    std::vector<int> members;
  };
  struct Deaf {
    int task;
    int attempt;
  };

  Model(const scheduler::QueueRules& rules, Marks& marks) : rules_(rules), marks_(marks) {}

  // What the simulator tells before or after an input.
  Task& add(scheduler::TaskIndex index, const scheduler::TaskSpec& spec, std::optional<int> group);
  void accepted(Task& task, Instant now);
  void cancelled(Task& task, bool answer);
  /// Before `finished`: what it must return.
  std::optional<scheduler::Verdict> report(int task, int attempt, scheduler::Outcome outcome);
  void asked_to_halt(scheduler::Halt halt) { asked_halt_ = std::max(asked_halt_, halt); }
  void begin_run(Instant now, std::optional<Duration> timeout);
  void close() { closed_ = true; }
  void set_workers(std::size_t workers) { rules_.workers = workers; }

  /// Takes the effects of one input.
  void take(scheduler::Core& core, Instant now);
  /// After `take`: what `next` found is what it had to find.
  void found(const scheduler::Core& core, const scheduler::Next& next);
  /// Whatever can be seen between two inputs. `timers_are_done`: the input did what was due.
  void check(const scheduler::Core& core, bool timers_are_done);
  void check_over(const scheduler::Core& core) const;

  Task& task(int id) { return tasks_[static_cast<std::size_t>(id)]; }
  std::vector<Task>& tasks() { return tasks_; }
  std::vector<Group>& groups() { return groups_; }
  Group& group(int id) { return groups_[static_cast<std::size_t>(id)]; }
  const std::vector<Deaf>& deaf() const { return deaf_; }
  std::optional<scheduler::State> group_end(int id) const;
  std::size_t running() const;
  std::uint64_t trace() const { return trace_; }
  void note(std::uint64_t value);
  void mark(const char* what) { ++marks_[what]; }

 private:
  void apply(const scheduler::StopRequested& stop);
  void apply(const scheduler::Abandoned& abandoned);
  void apply(const scheduler::RetryScheduled& retry);
  void apply(const scheduler::Finished& finished);
  void apply(const scheduler::Halted& halted);
  void check_cancelled(const Task& task, const scheduler::Finished& finished);
  void check_states(const scheduler::Core& core, bool timers_are_done);
  void check_room(const scheduler::Core& core);
  void check_timers(const scheduler::Core& core);

  Task& find(scheduler::TaskIndex index);
  bool needs_are_met(const Task& task) const;
  std::optional<scheduler::State> need_end(const NeedOf& need) const;
  bool is_open(const Task& task) const;
  bool run_body_is_over() const;
  bool is_spared(const Task& task) const;
  bool has_seat(const Task& task) const;
  bool may_start(const scheduler::Core& core, const Task& task) const;
  std::optional<Instant> next_due(const scheduler::Core& core) const;
  Instant gate_opens() const;
  std::size_t admitted(const scheduler::Core& core) const;
  void require(bool holds, const std::string& what, const Task* task = nullptr) const;

  scheduler::QueueRules rules_;
  Marks& marks_;
  std::vector<Task> tasks_;
  std::vector<Group> groups_;
  std::vector<Deaf> deaf_;
  std::vector<Instant> starts_;
  scheduler::Halt halt_ = scheduler::Halt::none;
  scheduler::Halt asked_halt_ = scheduler::Halt::none;
  bool must_halt_ = false;  // the last effect was a failure that trips fail_first
  std::optional<Instant> deadline_;
  bool timed_out_ = false;
  bool closed_ = false;
  Instant now_{};
  std::uint64_t trace_ = 14695981039346656037u;
};

}  // namespace osiiso::simulation
