// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "osiiso/queue_options.hpp"

#include "base/clock.hpp"

namespace osiiso::scheduler {

using base::Instant;

/// A task or group, as long as it is not released. Indices of released tasks are used again.
enum class TaskIndex : std::uint32_t {};
enum class GroupIndex : std::uint32_t {};

/// What the core must know of a task's options. Owned by the caller, unchanged and alive until the
/// last task that uses it is released; many tasks share one.
struct TaskRules {
  int priority = 3;
  bool must_complete = false;
  int retries = 0;
  Duration retry_delay{0};
  double backoff = 1;
  std::optional<Duration> max_delay = {};
  double jitter = 0;
  std::optional<Duration> timeout = {};
  bool retry_timeouts = true;
  /// From the stop request to the moment when a deaf attempt is given up; none: it is waited for.
  std::optional<Duration> abandon_after = {};
};

/// What the core must know of the queue's options.
struct QueueRules {
  std::size_t workers = 1;
  std::size_t size = 0;  // 0: no bound on admitted tasks
  std::optional<double> rate = {};
  int burst = 1;
  Mode mode = Mode::finite;
  FailPolicy fail_policy = FailPolicy::continue_;
  OnTimeout on_timeout = OnTimeout::complete;
  std::uint64_t seed = 0;
};

/// The set of tasks that a finally task waits for.
enum class Scope : std::uint8_t { none, group, run };

struct TaskSpec {
  const TaskRules* rules = nullptr;
  std::optional<GroupIndex> group = {};
  Scope finally = Scope::none;  // not none: a finally task of that scope
  /// The task starts no sooner; counted from its acceptance.
  std::optional<Duration> delay = {};
};

enum class State : std::uint8_t {
  waiting,    // for acceptance, for what it needs, for room, or (finally) for everything else
  scheduled,  // for its delay or its backoff
  ready,      // may start; for a worker, a seat of its group or the rate gate
  running,    // one attempt is under way
  stopping,   // asked to stop; keeps worker and seat until it has
  succeeded,
  failed,
  cancelled,  // the last three are final and entered exactly once
};

inline bool is_final(State state) {
  return state >= State::succeeded;
}

/// Whom a halt spares.
enum class Halt : std::uint8_t {
  none,
  spare_must_complete,  // ordinary tasks are cancelled: fail_first, run timeout, first signal
  spare_finally,        // must_complete tasks too: run timeout with on_timeout = cancel
  spare_nothing,        // forced shutdown, second signal
};

/// How an attempt ended, told by whoever ran it.
struct Outcome {
  bool succeeded = true;
  bool retryable = true;  // whether the task's retry_on allows another attempt after this failure
};

/// What an attempt that ended counts as.
enum class Verdict : std::uint8_t { succeeded, failed, timed_out, cancelled };

/// Why a task became cancelled.
enum class CancelReason : std::uint8_t {
  none,
  before_execution,  // never started
  cancelled,         // asked to stop, or between two attempts
  need_failed,       // what it needs failed (see Finished::need)
  need_cancelled,
};

using Need = std::variant<TaskIndex, GroupIndex>;

// What an input leads to, besides the state of the core itself. The caller carries these out and
// tells the world; their order is the order in which things happened.

/// The attempt under way must be asked to stop. At most once an attempt, but for `kill`: a
/// forced halt asks again.
struct StopRequested {
  TaskIndex task;
  int attempt;
  enum class Why : std::uint8_t { timeout, cancel, kill } why;
};

/// A deaf attempt was given up: it no longer counts, and a late report of it will be dropped.
struct Abandoned {
  TaskIndex task;
  int attempt;
  Verdict verdict;  // timed_out or cancelled
};

/// A failed attempt will be followed by attempt + 1, `delay` from now at the soonest.
struct RetryScheduled {
  TaskIndex task;
  int attempt;
  Duration delay;
};

/// The task is final.
struct Finished {
  TaskIndex task;
  State state;
  CancelReason reason;
  std::optional<Need> need;  // which of its needs, where that is the reason
};

/// fail_first tripped or the run's timeout passed; the effects of the halt follow.
struct Halted {
  Halt halt;
  bool timed_out;  // by the run's timeout, else by fail_first or halt()
};

using Effect = std::variant<StopRequested, Abandoned, RetryScheduled, Finished, Halted>;

/// What `next` found.
struct Start {
  TaskIndex task;
  int attempt;  // from 1
};
struct Wait {
  Instant until;  // nothing can start before, unless something is submitted or finished
};
struct Idle {};  // no worker is free, or there is nothing to wait for
using Next = std::variant<Start, Wait, Idle>;

}  // namespace osiiso::scheduler
