// SPDX-License-Identifier: MIT
#pragma once

#include <any>
#include <functional>
#include <memory>

#include "osiiso/task_body.hpp"
#include "osiiso/task_context.hpp"

namespace osiiso::queue {

/// Runs the attempts of one worker, one after the other, on one thread.
class AttemptRunner {
 public:
  virtual ~AttemptRunner() = default;

  /// Whether `prepare` has nothing to do.
  virtual bool is_ready() = 0;
  /// Called before an attempt that it is not ready for. What it throws ends the run.
  virtual void prepare(const TaskContext& context) = 0;
  /// Returns and throws what the body does.
  virtual std::any run(const TaskBody& body, const TaskContext& context) = 0;
  /// There is nothing to do for a while. On its thread.
  virtual void rest() {}
  /// A run is over. From any thread, perhaps during an attempt of the next run.
  virtual void end_run() {}
};

using MakeRunner = std::function<std::unique_ptr<AttemptRunner>()>;

}  // namespace osiiso::queue
