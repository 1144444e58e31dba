// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "scheduler/backoff.hpp"
#include "scheduler/edges.hpp"
#include "scheduler/indexed_heap.hpp"
#include "scheduler/rate_gate.hpp"
#include "scheduler/records.hpp"
#include "scheduler/types.hpp"

// Invariants, true between any two calls:
//
//  1. A task is in at most one heap. Which one follows from its state: waiting with nothing left
//     but room to wait for, the line; scheduled, the timers; ready, the ready heap or its group's
//     parked heap; running or stopping, the timers if there is a limit, or (stopping, its limit
//     passed) the overdue. A waiting task with other blockers and a final one are in none.
//  2. So a task has at most one timer, and its state says what for: scheduled, that it is due;
//     running, its timeout; stopping, when it is given up. The run's deadline stands apart.
//  3. The top of the ready heap may start but for a worker and the rate gate. Of a group with
//     seats it holds the best ready task while a seat is free, and nothing while none is; the
//     group's other ready tasks are parked. No search ever skips a task.
//  4. `blockers` of a waiting task: one until it is accepted, and one for each edge that is not
//     met. An edge is in its target's ring exactly while it is open; once its task waits no more
//     it is gone.
//  5. Whatever is final has told its dependents, its group and the run: no open edge has a final
//     target, a group whose finally tasks may run has no edge among them left.
//  6. While the line is not empty, as many tasks are admitted as the size allows.
//  7. While halted, every live accepted task that is not spared is stopping.
//  8. At most `workers` attempts were given up and have not reported (unless the limit was lowered
//     since). The index of a released task is used again only when none of them is its own, so
//     that (task, attempt) always tells a late report from a fresh one.
//  9. An overdue attempt exists only while as many others are given up as there may be.

namespace osiiso::scheduler {

/// Decides which attempt starts next and what an outcome leads to. A deterministic state machine:
/// no thread, lock, clock or descriptor; whoever drives it hands it the time, which never goes
/// back. Every input is O(log n) for each task whose state it changes. Not thread-safe.
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
  /// A finally task of the run that has nothing to wait for becomes ready at the next `next` or
  /// `due`, not here: what is submitted right after it still comes first.
  void accept(TaskIndex task, Instant now);
  /// Instead of `accept`: an earlier run has finished the task. It has succeeded, without an
  /// attempt and whatever it needs.
  void restore(TaskIndex task, Instant now);

  // Driving.

  /// Does what is due, then finds the next attempt to start and counts it as running. Otherwise,
  /// with a worker free, `Wait` until the rate gate opens for what is ready or until `next_due`,
  /// whichever comes first. `Idle`: no worker is free (`next_due` still counts, and is the driver's
  /// to keep), or there is neither.
  Next next(Instant now);
  /// Reports the end of an attempt. None: it had been given up or reported before, and nothing
  /// happens to the task.
  std::optional<Verdict> finished(TaskIndex task, int attempt, Outcome outcome, Instant now);
  /// The timeout of an attempt that is under way counts from this instant, not from its start: its
  /// worker is made ready first. Nothing happens where the attempt is to stop, or has no timeout.
  void count_timeout_from(TaskIndex task, int attempt, Instant from);
  /// Expires what has expired: delays, timeouts, graces, the run's timeout.
  void due(Instant now);
  /// When `due` has something to do next, perhaps an instant that has passed; none: not before
  /// another input.
  std::optional<Instant> next_due() const;

  // Ending early.

  /// True: the task will end cancelled (or just did). False: it is final already.
  bool cancel(TaskIndex task, Instant now);
  /// Cancels whom `halt` does not spare, now and until `begin_run`; a stronger halt follows a
  /// weaker one, never the other way round (then nothing happens).
  void halt(Halt halt, Instant now);
  Halt halted() const;
  bool timed_out() const;

  // The run.

  /// A new run: forgets the halt of the last one and starts the run's timeout. Worth a call
  /// without timeout after a run, too, lest its halt and deadline befall what is submitted next.
  void begin_run(Instant now, std::optional<Duration> timeout);
  /// The run's timeout counts from now on; unlike `begin_run`, this forgets no halt.
  void limit_run(Instant now, Duration timeout);
  /// Infinite mode: no more waiting, the run's finally tasks may run, for good. Finite mode needs
  /// no such call.
  void close(Instant now);
  /// Whether a task with these rules would be accepted now (a halt refuses ordinary ones).
  bool accepts(const TaskRules& rules) const;

  // Looking.

  std::size_t unfinished() const;  // accepted and not final
  std::size_t running() const;     // attempts that hold a worker
  std::size_t ready() const;       // in State::ready, those without a free seat included
  /// Whether `next` would start something, if a worker is free and the rate gate open.
  bool startable() const { return !ready_.empty(); }
  State state(TaskIndex task) const;
  int attempts(TaskIndex task) const;  // started so far

  /// The limit on concurrent attempts; lowering it stops nothing.
  void set_workers(std::size_t workers);

  /// What happened since the last call, in order. Valid until the next non-const call.
  std::span<const Effect> take_effects();

  /// Frees the index of a final task, or of a sealed group without unreleased members, for reuse
  /// (not before every attempt of the task that was given up has reported).
  /// Nobody may name it afterwards.
  void release(TaskIndex task);
  void release(GroupIndex group);

  /// Asserts every invariant of the implementation; for tests, O(n log n).
  void check_invariants() const;

 private:
  // Time and admission.
  void advance(Instant now);
  void unblock(Index task);
  void admit(Index task);
  void schedule(Index task, Instant at);
  void make_ready(Index task);
  /// Moves the best parked task of a group with a free seat to the ready heap, if it lacks one.
  void promote(Group& group);
  /// Takes the task out of whichever heap it is in.
  void take_out(Index task);

  // Attempts.
  Start start(Index task);
  void limit(Index task, Instant from);
  void ask_to_stop(Index task, StopRequested::Why why);
  void end_attempt(Index task, Verdict verdict, bool retryable);
  void retry(Index task);
  void give_up(Index task);
  void give_up_overdue();
  void expire_timer(Index task);
  bool forget_deaf(Index task, int attempt);

  // Endings. `finalise` only notes what it leads to; `settle` carries that out, at the end of each
  // input, with a list instead of recursion, for chains of needs may be long.
  void finalise(Index task, State state, CancelReason reason = CancelReason::none,
                std::optional<Need> need = {});
  void settle(bool run_finallys = true);
  void tell_dependents(Index task);
  void update_group(Index group);
  void close_ring(Edge::Kind kind, Index target, State outcome);
  Index& ring_of(Edge::Kind kind, Index target);
  void drop_edges(Index task);
  void cancel_waiting(Index task);
  void cancel_for_need(Index task, const Edge& edge);
  void raise_halt(Halt halt, bool timed_out);
  void carry_out_halt();
  void halt_task(Index task);
  bool is_spared(const Task& task) const;
  bool run_finallys_due() const;
  void link_live(Index task);
  void unlink_live(Index task);
  void free_index(Index task);

  void check_counts() const;
  void check_heaps() const;
  void check_task(Index task) const;
  void check_groups() const;
  void check_edges() const;

  // Fixed.
  const QueueRules rules_;

  // Tasks and groups by index; free indices are chained.
  base::Table<Task> tasks_;
  std::vector<Group> groups_;
  Edges edges_;
  Index free_task_ = kNone;
  Index free_group_ = kNone;
  Index first_live_ = kNone;  // not final, in order of submission
  Index last_live_ = kNone;
  std::uint64_t next_order_ = 0;

  // Where tasks wait.
  IndexedHeap<BySubmission> line_{BySubmission{&tasks_}};
  IndexedHeap<ByPriority> ready_{ByPriority{&tasks_}};
  IndexedHeap<ByInstant> timers_{ByInstant{&tasks_}};
  IndexedHeap<ByInstant> overdue_{ByInstant{&tasks_}};
  Index run_finallys_ = kNone;  // ring of their edges
  std::vector<DeafAttempt> deaf_;

  // Counts.
  std::size_t workers_;
  std::size_t unfinished_ = 0;       // accepted and not final
  std::size_t unfinished_body_ = 0;  // added and not final, without the run's finally tasks
  std::size_t admitted_ = 0;
  std::size_t ready_count_ = 0;
  std::size_t running_ = 0;

  // The run.
  Instant now_ = Instant::min();  // the latest instant heard of
  std::optional<Instant> deadline_;
  Halt halt_ = Halt::none;
  bool timed_out_ = false;
  bool closed_ = false;

  RateGate gate_;
  JitterSource jitter_;

  // Work in hand; both empty between calls.
  std::vector<Index> final_tasks_;  // whose dependents have not been told
  bool halt_pending_ = false;

  std::vector<Effect> effects_;
  std::vector<Effect> taken_effects_;
};

}  // namespace osiiso::scheduler
