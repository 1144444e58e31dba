// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "osiiso/duration.hpp"
#include "osiiso/hooks.hpp"

namespace osiiso {

/// When a run is over.
enum class Mode {
  finite,    ///< when nothing is outstanding, or at the run's timeout
  infinite,  ///< at shutdown or the run's timeout, however idle it is
};

/// What a finally failed task does to the others.
enum class FailPolicy {
  continue_,   ///< nothing
  fail_first,  ///< everything but `must_complete` and `finally` tasks is cancelled
};

/// What the run's timeout does to `must_complete` tasks; ordinary ones are cancelled either way.
enum class OnTimeout {
  complete,  ///< they still run
  cancel,    ///< they are cancelled too
};

/// How a queue runs its tasks. A plain value, checked by `validate()` when a queue is made of it.
struct QueueOptions {
  /// Most attempts at the same time. None: as many as suit the machine and the kind of queue.
  std::optional<int> workers = {};
  /// Most outstanding tasks; a further `submit` waits for room. 0: no bound.
  std::int64_t size = 0;
  /// Limit of a whole run.
  std::optional<Duration> timeout = {};
  Mode mode = Mode::finite;
  FailPolicy fail_policy = FailPolicy::continue_;
  OnTimeout on_timeout = OnTimeout::complete;
  /// Attempts started per second, retries included. None: no limit.
  std::optional<double> rate = {};
  /// How many attempts may start at once after an idle time.
  int burst = 1;
  /// From being asked to stop to being killed, for tasks that do not say.
  Duration grace = std::chrono::seconds(5);
  /// Seeds the generator of `jitter`. None: differs from queue to queue.
  std::optional<std::uint64_t> seed = {};
  /// Whether the summary of a run holds every result. Otherwise the queue forgets a task as soon as
  /// it is final and its hooks have been called, and the summary has the counts alone: for streams
  /// of tasks that have no end, in memory for what is outstanding. Handles still know their
  /// results.
  bool keep_results = true;
  /// Called as things happen.
  Hooks hooks = {};
  /// Called once by each worker, on the thread (in the process) that will run the tasks, before its
  /// first task. If it throws, everything is cancelled and the run ends with that error. A
  /// `ProcessQueue` takes a plain function only.
  std::function<void()> initializer = {};
};

/// Throws `OptionError` with the text of the first rule that is broken.
void validate(const QueueOptions& options);

}  // namespace osiiso
