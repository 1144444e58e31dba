// SPDX-License-Identifier: MIT
#pragma once

#include <any>
#include <memory>
#include <optional>

#include "osiiso/task_result.hpp"

namespace osiiso {

/// Keeps what becomes of one task beyond the run, so that a later run need not do it again. The
/// way from a queue to a `Checkpoint`, or to a store of your own; see `Batch::record`.
///
/// A queue asks `restore` when the task is submitted. A task that succeeded before is succeeded at
/// once, with that value, no attempt, and the message `restored from checkpoint`. Otherwise it
/// runs, and one of the other two is called at its end. None is called with a lock of the queue
/// held, so they may block; what the last two throw goes to the error hook, and the run goes on.
class Recorder {
 public:
  virtual ~Recorder() = default;

  /// The value of an earlier success, as a result would hold it; none: the task has to run. What it
  /// throws is thrown by the submission.
  virtual std::optional<std::any> restore() = 0;

  /// An attempt succeeded. Called before anybody hears of it: handles, hooks, tasks that need it.
  virtual void record_success(const std::any& value) = 0;

  /// The task ended as `failed` or `cancelled`; also where a success was recorded a moment before,
  /// which then does not count.
  virtual void record_end(Status status) = 0;
};

using RecorderPtr = std::shared_ptr<Recorder>;

}  // namespace osiiso
