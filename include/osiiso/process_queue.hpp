// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "osiiso/remote_call.hpp"
#include "osiiso/sync_queue.hpp"

namespace osiiso {

/// What a function in a worker process threw: its type's name, and as `what()` its text.
class RemoteError : public Error {
 public:
  RemoteError(std::string type_name, const std::string& what)
      : Error(what), type_name_(std::move(type_name)) {}
  const std::string& type_name() const { return type_name_; }

 private:
  std::string type_name_;
};

/// A worker process ended without an answer: `worker process died (exit code 3)`,
/// `worker process died (SIGSEGV)`.
class WorkerError : public Error {
 public:
  using Error::Error;
};

/// To be called first in `main` by a program that uses `ProcessQueue`, whose worker processes are
/// executions of this same program:
///
///     int main(int argc, char** argv) {
///       if (const auto code = osiiso::worker_main(argc, argv)) return *code;
///       ...
///     }
///
/// In a worker process it serves tasks until the queue is gone and returns the exit code; in any
/// other it returns none at once. A worker process has `--osiiso-worker=...` as its only argument.
std::optional<int> worker_main(int argc, char** argv);

/// Runs tasks in worker processes, which stay between tasks and runs. What a task does to its
/// process is no harm to others: a crash fails that task, and another process takes its place.
///
///     osiiso::ProcessQueue queue({.workers = 4});
///     auto page = queue.submit({.name = "parse", .timeout = 5s}, parse, std::string("page.html"));
///     auto size = queue.submit([](int width, int height) { return width * height; }, 3, 4);
///     osiiso::RunSummary summary = queue.run();
///     use(page.value());
///
/// Takes commands, and callables that hold nothing with arguments and a value that can be
/// serialised (see `RemoteCallable`, `Serialisable`); in a `Batch` as `remote_call(parse, path)`,
/// other bodies are refused with `OptionError`. An exception arrives as `RemoteError`. A function
/// may take a `std::stop_token` or a `const TaskContext&` first; one that is deaf to it is killed
/// together with its worker process after its grace.
class ProcessQueue final : public Submitting<ProcessQueue> {
 public:
  /// Throws `OptionError` where the options break a rule (the initializer must be a plain
  /// function), `StateError` where `main` did not call `worker_main`. Nothing is started yet.
  explicit ProcessQueue(const QueueOptions& options = {});

 private:
  friend class Submitting<ProcessQueue>;
  explicit ProcessQueue(const std::shared_ptr<queue::Engine>& engine);

  template <typename F, typename... Args>
  static TaskBody make_body(const BoundTask<F, Args...>& call) {
    return TaskBody(detail::make_remote(call));
  }
  static TaskBody make_body(Command command) { return TaskBody(std::move(command)); }
  static TaskBody make_body(TaskBody body) { return body; }
};

/// Runs `function` over the items on a queue of its own and returns the values in their order.
/// Throws `ExecutionError` if a call failed or was cancelled.
template <typename F, typename Items>
auto pmap(const F& function, Items&& items, const QueueOptions& options = {}) {
  ProcessQueue queue(options);
  const auto group = queue.group(function, std::forward<Items>(items));
  queue.run();
  return group.values();
}

}  // namespace osiiso
