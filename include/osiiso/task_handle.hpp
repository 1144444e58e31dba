// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "osiiso/callable.hpp"
#include "osiiso/duration.hpp"
#include "osiiso/run_summary.hpp"
#include "osiiso/task_options.hpp"
#include "osiiso/task_result.hpp"

namespace osiiso {

namespace queue {
class Engine;
struct TaskRecord;
}  // namespace queue

/// What every handle of a task can do, whatever the task returns and whichever queue it is in.
/// Cheap to copy; valid beyond the queue's own life. All members may be called from any thread.
class AnyTaskHandle {
 public:
  AnyTaskHandle(std::shared_ptr<queue::Engine> engine, std::shared_ptr<queue::TaskRecord> record);

  /// The result; throws `StateError`, `result not ready`, before the end.
  ResultPtr result() const;
  /// What the task threw at last, or null; throws like `result()`.
  std::exception_ptr exception() const;

  /// Asks that the task end cancelled. True: it will (or just did); false: it is final already.
  bool cancel() const;

  /// Whether the task has a final result.
  bool done() const;
  bool cancelled() const;
  Status status() const;
  /// Attempts started so far.
  int attempts() const;
  /// 32 hex digits.
  std::string task_id() const;
  std::string name() const;

  /// Calls `callback` with this handle when the task is final, in order of registration, by whoever
  /// finished it; at once if it is final already. What it throws goes to the queue's error hook.
  void on_done(std::function<void(const AnyTaskHandle&)> callback) const;

  /// For `TaskOptions::needs`.
  operator TaskNeed() const;  // NOLINT(google-explicit-constructor): a need is written as a handle

 protected:
  /// The result of a succeeded task; throws what it threw, or `CancelledError`.
  ResultPtr succeeded() const;
  ResultPtr wait_for(std::optional<Duration> timeout) const;

 private:
  friend class CompletionOrder;
  std::shared_ptr<queue::Engine> engine_;
  std::shared_ptr<queue::TaskRecord> record_;
};

/// A task of a queue whose calls block.
class AnySyncTaskHandle : public AnyTaskHandle {
 public:
  using AnyTaskHandle::AnyTaskHandle;

  /// Blocks until the task is final, at most for `timeout`; then throws `TimeoutError` with the
  /// text `result not ready`. Does not start the queue.
  ResultPtr wait(std::optional<Duration> timeout = {}) const { return wait_for(timeout); }
};

/// The same with the type of the task's value.
template <typename T = void>
class SyncTaskHandle : public AnySyncTaskHandle {
 public:
  using AnySyncTaskHandle::AnySyncTaskHandle;
  /// The handle of a task that is known to return a `T`.
  explicit SyncTaskHandle(AnySyncTaskHandle erased) : AnySyncTaskHandle(std::move(erased)) {}

  /// What the callable returned; what it threw is thrown again, a cancelled task throws
  /// `CancelledError`, one that is not final `StateError`. A copy; of a type that cannot be copied,
  /// a reference that is valid as long as a handle or summary holds the result.
  decltype(auto) value() const { return detail::value_of<T>(*succeeded()); }
};

}  // namespace osiiso
