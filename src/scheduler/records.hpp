// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/table.hpp"
#include "scheduler/indexed_heap.hpp"
#include "scheduler/types.hpp"

// What the core keeps of a task and of a group. Everything is named by index, never by address,
// since the tables grow.
namespace osiiso::scheduler {

using Index = std::uint32_t;
constexpr Index kNone = 0xffffffff;

/// The heap that a task is in. It is in at most one, so that one slot and one instant do for all.
enum class Place : std::uint8_t {
  none,     // waiting for something else; running or stopping without a limit; final
  line,     // waiting for room
  timers,   // scheduled, running or stopping: until `at`
  ready,    // ready, may start as soon as there is a worker and the rate gate opens
  parked,   // ready, behind another task of its group or without a free seat
  overdue,  // stopping, to be given up when fewer others are
};

struct Task {
  const TaskRules* rules = nullptr;
  std::uint64_t order = 0;  // of submission
  /// Until accepted: its delay, as the instant that far from the epoch. Waiting: when it is due.
  /// Scheduled: likewise. Running: when it times out. Stopping: when it is given up.
  Instant at{};
  int attempts = 0;
  Index group = kNone;
  Index slot = kNone;          // in the heap that `place` names
  std::uint32_t blockers = 0;  // acceptance and what it waits for; room is not counted
  Index needs = kNone;         // its own edges, chained by `sibling`, newest first
  Index dependents = kNone;    // ring of the edges of those who need it
  Index previous = kNone;      // in the list of live tasks, which is in order of submission
  Index next = kNone;          // likewise, or in the list of free indices
  std::uint32_t deaf = 0;      // attempts that were given up and have not reported
  State state = State::waiting;
  Scope finally = Scope::none;
  Place place = Place::none;
  bool accepted : 1 = false;
  bool admitted : 1 = false;   // counts against the queue's size
  bool timed_out : 1 = false;  // stopping: because of its timeout, else because of a cancel
  bool released : 1 = false;
};
static_assert(sizeof(Task) <= 64, "a queue may hold millions");

struct ByPriority {
  base::Table<Task>* tasks;
  bool before(Index a, Index b) const {
    const Task& left = (*tasks)[a];
    const Task& right = (*tasks)[b];
    const int mine = left.rules->priority;
    const int other = right.rules->priority;
    return mine != other ? mine < other : left.order < right.order;
  }
  Index& slot(Index task) const { return (*tasks)[task].slot; }
};

struct ByInstant {
  base::Table<Task>* tasks;
  bool before(Index a, Index b) const {
    const Task& left = (*tasks)[a];
    const Task& right = (*tasks)[b];
    return left.at != right.at ? left.at < right.at : left.order < right.order;
  }
  Index& slot(Index task) const { return (*tasks)[task].slot; }
};

struct BySubmission {
  base::Table<Task>* tasks;
  bool before(Index a, Index b) const { return (*tasks)[a].order < (*tasks)[b].order; }
  Index& slot(Index task) const { return (*tasks)[task].slot; }
};

struct Group {
  explicit Group(base::Table<Task>* tasks) : parked(ByPriority{tasks}) {}

  std::size_t seats = 0;            // 0: no bound
  std::size_t taken = 0;            // attempts that hold a seat
  std::size_t unfinished = 0;       // members that are not final
  std::size_t unfinished_body = 0;  // those of them that are not finally tasks
  std::size_t unreleased = 0;
  IndexedHeap<ByPriority> parked;
  Index front = kNone;       // its best ready task, in the ready heap, while a seat is free
  Index dependents = kNone;  // ring of the edges of those who need it
  Index finallys = kNone;    // ring of the edges of its finally tasks
  Index next_free = kNone;
  bool sealed = false;
  bool any_failed = false;
  bool any_cancelled = false;
  /// waiting until the group is sealed and its members are final, then one of the final states.
  State state = State::waiting;
};

/// An attempt that was given up and still runs somewhere.
struct DeafAttempt {
  Index task;
  int attempt;
};

}  // namespace osiiso::scheduler
