// SPDX-License-Identifier: MIT
#pragma once

#include "queue/engine.hpp"

namespace osiiso::queue {

/// What a queue whose calls block asks of its workers besides.
class SyncWorkers : public Workers {
 public:
  /// Attempts may start from now on.
  virtual void start() = 0;
  /// Whether the calling thread is one of them.
  virtual bool is_worker_thread() const = 0;
  /// A run is over: what its tasks left behind on purpose is to end.
  virtual void end_run() = 0;
};

}  // namespace osiiso::queue
