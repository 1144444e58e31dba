// SPDX-License-Identifier: MIT
#pragma once

#include <csignal>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "osiiso/batch.hpp"
#include "osiiso/queue_options.hpp"
#include "osiiso/run_summary.hpp"
#include "osiiso/task_handle.hpp"

namespace osiiso {

namespace queue {
class Engine;
class ThreadWorkers;
}  // namespace queue

/// Runs tasks on worker threads of this process.
///
///     osiiso::ThreadQueue queue({.workers = 4});
///     auto hello = queue.submit({.name = "hello"}, osiiso::Command::shell("echo hello"));
///     osiiso::RunSummary summary = queue.run();
///     summary.display(std::cout);
///
/// All members may be called from any thread, also from a task, unless they say otherwise.
class ThreadQueue {
 public:
  /// Throws `OptionError` where the options break a rule. Nothing is started yet.
  explicit ThreadQueue(QueueOptions options = {});
  /// Graceful shutdown: waits for everything outstanding. Forced while an exception passes.
  ~ThreadQueue();
  ThreadQueue(const ThreadQueue&) = delete;
  ThreadQueue& operator=(const ThreadQueue&) = delete;

  /// Accepts one task. On a bounded queue that is full it starts the workers and waits for room.
  /// Throws `OptionError` (broken rule) or `ClosedError` (`queue is not accepting tasks`).
  SyncTaskHandle submit(TaskOptions options, TaskBody body);

  /// Accepts all tasks of the batch or, where it throws as above, none. On a bounded queue they are
  /// admitted as room appears. The handles stand in the order of the batch.
  std::vector<SyncTaskHandle> submit(Batch batch);

  /// Runs what was submitted since the last run to its end; tasks may submit further ones.
  /// `timeout` overrides that of the options. With `strict`, throws what
  /// `RunSummary::raise_unless_ok` throws. Throws `StateError` during another run and `ClosedError`
  /// after a shutdown. Not to be called from a task.
  RunSummary run(std::optional<Duration> timeout = {}, bool strict = false);

  /// Ends the run early, as a first Ctrl-C does: ordinary tasks are cancelled, `must_complete` and
  /// `finally` tasks still run. Commands get `signal`, then after `grace` (none: each task's own)
  /// SIGKILL.
  void halt(int signal = SIGTERM, std::optional<Duration> grace = {});

  /// Ends the run at once, as a second Ctrl-C does: everything is cancelled and killed; the
  /// results are still reported.
  void kill();

  /// No more tasks. Graceful: finishes everything outstanding first; forced: as `kill()`. A second
  /// call is harmless. A graceful one from inside a task throws `StateError`.
  void shutdown(bool force = false);

 private:
  void start_workers();

  std::shared_ptr<queue::Engine> engine_;
  std::unique_ptr<queue::ThreadWorkers> workers_;
  int exceptions_;  // under way when the queue was made
};

}  // namespace osiiso
