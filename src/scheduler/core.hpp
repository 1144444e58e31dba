// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "scheduler/types.hpp"

namespace osiiso::scheduler {

/// Decides which attempt starts next and what an outcome leads to. A deterministic state machine:
/// no thread, lock, clock or descriptor; whoever drives it hands it the time, which never goes
/// back. Every input is O(log n). Not thread-safe.
///
///     core.accept(core.add({.rules = &rules}), now);
///     Next next = core.next(now);          // Start, Wait or Idle
///     core.finished(task, attempt, {.succeeded = true}, now);
///     for (const Effect& effect : core.take_effects()) ...
class Core {
 public:
  explicit Core(const QueueRules& rules);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // Building. A task is added, told what it needs, then accepted; several can be added before any
  // is accepted, so that needs may point forward. Submission order is the order of `add`.

  /// `seats`: most attempts of the group at the same time, 0 for no bound of its own.
  GroupIndex add_group(std::size_t seats = 0);
  TaskIndex add(const TaskSpec& spec);
  /// `task` (not accepted yet) starts only when `need` has succeeded. A group has succeeded when it
  /// is sealed and all its members have, its finally tasks included. Needs must not form a cycle.
  void need(TaskIndex task, Need need);
  /// No further member will be added to the group.
  void seal(GroupIndex group);
  void accept(TaskIndex task, Instant now);

  // Driving.

  /// Does what is due, then finds the next attempt to start and counts it as running.
  Next next(Instant now);
  /// Reports the end of an attempt. None: the attempt had been given up, nothing happened.
  std::optional<Verdict> finished(TaskIndex task, int attempt, Outcome outcome, Instant now);
  /// Expires what has expired: delays, timeouts, graces, the run's timeout.
  void due(Instant now);
  /// When `due` has something to do next; none: not before another input.
  std::optional<Instant> next_due() const;

  // Ending early.

  /// True: the task will end cancelled (or just did). False: it is final already.
  bool cancel(TaskIndex task, Instant now);
  /// Cancels whom `halt` does not spare, now and until `begin_run`; a stronger halt follows a
  /// weaker one, never the other way round.
  void halt(Halt halt, Instant now);
  Halt halted() const;
  bool timed_out() const;

  // The run.

  /// A new run: forgets the halt of the last one and starts the run's timeout.
  void begin_run(Instant now, std::optional<Duration> timeout);
  /// Infinite mode: no more waiting, finally tasks may run. Finite mode needs no such call.
  void close(Instant now);
  /// Whether a task with these rules would be accepted now (a halt refuses ordinary ones).
  bool accepts(const TaskRules& rules) const;

  // Looking.

  std::size_t unfinished() const;  // accepted and not final
  std::size_t running() const;     // attempts that hold a worker
  std::size_t ready() const;
  State state(TaskIndex task) const;
  int attempts(TaskIndex task) const;  // started so far

  /// The limit on concurrent attempts; lowering it stops nothing.
  void set_workers(std::size_t workers);

  /// What happened since the last call, in order. Valid until the next non-const call.
  std::span<const Effect> take_effects();

  /// Frees the index of a final task, or of a sealed group without unreleased members, for reuse.
  /// Nobody may name it afterwards.
  void release(TaskIndex task);
  void release(GroupIndex group);

  /// Asserts every invariant of the implementation; for tests, O(n log n).
  void check_invariants() const;
};

}  // namespace osiiso::scheduler
