// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <string>

#include "osiiso/duration.hpp"
#include "osiiso/run_summary.hpp"
#include "osiiso/task_result.hpp"

namespace osiiso {

namespace queue {
class Engine;
struct TaskRecord;
}  // namespace queue

/// The view of one submitted task: to wait for it, look at it, or cancel it. Cheap to copy, and
/// valid beyond the queue's own life. All members may be called from any thread; those that wait
/// do not start the queue.
class SyncTaskHandle {
 public:
  SyncTaskHandle(std::shared_ptr<queue::Engine> engine, std::shared_ptr<queue::TaskRecord> record);
  SyncTaskHandle(const SyncTaskHandle&) = default;
  SyncTaskHandle& operator=(const SyncTaskHandle&) = default;
  SyncTaskHandle(SyncTaskHandle&&) noexcept = default;
  SyncTaskHandle& operator=(SyncTaskHandle&&) noexcept = default;
  ~SyncTaskHandle();

  /// Blocks until the task is final, at most for `timeout`; then throws `TimeoutError` with the
  /// text `result not ready`.
  ResultPtr wait(std::optional<Duration> timeout = {}) const;
  /// The result; throws `StateError`, `result not ready`, before the end.
  ResultPtr result() const;
  /// What the task threw at last, or null; throws like `result()`.
  std::exception_ptr exception() const;

  /// Asks that the task end cancelled. True: it will (or just did); false: it is final already.
  bool cancel() const;

  bool done() const;
  bool cancelled() const;
  Status status() const;
  /// Attempts started so far.
  int attempts() const;
  std::string task_id() const;
  std::string name() const;

 private:
  std::shared_ptr<queue::Engine> engine_;
  std::shared_ptr<queue::TaskRecord> record_;
};

}  // namespace osiiso
