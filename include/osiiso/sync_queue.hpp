// SPDX-License-Identifier: MIT
#pragma once

#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "osiiso/batch.hpp"
#include "osiiso/queue_options.hpp"
#include "osiiso/queue_stats.hpp"
#include "osiiso/run_summary.hpp"
#include "osiiso/submitting.hpp"
#include "osiiso/task_group.hpp"
#include "osiiso/task_handle.hpp"

namespace osiiso {

namespace queue {
class Engine;
class SyncWorkers;
}  // namespace queue

/// What `ThreadQueue` and `ProcessQueue` have in common: everything but how a callable becomes a
/// task. All members may be called from any thread, also from a task, unless they say otherwise.
class SyncQueue {
 public:
  SyncQueue(const SyncQueue&) = delete;
  SyncQueue& operator=(const SyncQueue&) = delete;

  /// Accepts all tasks of the batch or, where it throws as `submit` does, none. On a bounded queue
  /// they are admitted as room appears. The handles stand in the order of the batch.
  std::vector<AnySyncTaskHandle> submit(Batch batch);

  /// As `submit(Batch)`, for those who need no handles. A task that waits then takes little more
  /// memory than in the batch, unless `Hooks::on_submit` is set, which counts where there are a
  /// million of them (see `QueueOptions::keep_results` for those that are finished).
  void post(Batch batch);

  /// Starts the workers without waiting. `run()` does it by itself.
  void start();

  /// Blocks until nothing is outstanding; the workers must have been started by somebody. Outside
  /// a run this ends a halt. Throws `ClosedError` after a shutdown, `StateError` from a task.
  void join();

  /// Runs what was submitted since the last run to its end; tasks may submit further ones.
  /// `timeout` overrides that of the options. With `strict`, throws what
  /// `RunSummary::raise_unless_ok` throws. Throws `StateError` during another run or from a task,
  /// `ClosedError` after a shutdown, and what a worker's initializer threw.
  RunSummary run(std::optional<Duration> timeout = {}, bool strict = false);

  /// Ends the run early, as a first Ctrl-C does: ordinary tasks are cancelled, `must_complete` and
  /// `finally` tasks still run. Commands get `signal`, then after `grace` (none: each task's own)
  /// SIGKILL.
  void halt(int signal = SIGTERM, std::optional<Duration> grace = {});

  /// Ends the run at once, as a second Ctrl-C does: everything is cancelled and killed; the
  /// results are still reported.
  void kill();

  /// No more tasks. Graceful: finishes everything outstanding first; forced: as `kill()`. A second
  /// call is harmless. From inside a task or hook a graceful one throws `StateError`, a forced one
  /// does not wait for the end.
  void shutdown(bool force = false);

  /// Cancels what is pending, forgets all results, and opens a queue again that was shut down.
  /// Throws `StateError` during a run and from a task.
  void reset();

  /// 32 hex digits, of all runs of this queue: what commands have as `OSIISO_RUN_ID`.
  std::string run_id() const;

  QueueStats stats() const;

  /// What runs at this moment, the longest-running attempt first.
  std::vector<RunningTask> running() const;

 protected:
  SyncQueue(std::shared_ptr<queue::Engine> engine, std::unique_ptr<queue::SyncWorkers> workers);
  /// Graceful shutdown: waits for everything outstanding. Forced while an exception passes.
  ~SyncQueue();

  AnySyncTaskHandle submit_body(TaskOptions options, TaskBody body);
  AnySyncTaskHandle submit_body(TaskBody body);  // with default options
  // `recorders`: one for each body, or none at all.
  AnySyncTaskGroup submit_group(TaskOptions options, std::vector<TaskBody> bodies,
                                std::vector<RecorderPtr> recorders = {});
  std::vector<AnySyncTaskHandle> submit_all(TaskOptions options, std::vector<TaskBody> bodies,
                                            std::vector<RecorderPtr> recorders = {});

 private:
  void start_workers();
  /// Whether this is called by a task or hook of this queue.
  bool is_inside() const;
  /// Throws `StateError` with this text if so.
  void require_outside(const char* why_not) const;

  std::shared_ptr<queue::Engine> engine_;
  std::unique_ptr<queue::SyncWorkers> workers_;
  int exceptions_;  // under way when the queue was made
};

/// What a queue whose calls block gives out, see `Submitting`.
struct SyncKinds {
  using Queue = SyncQueue;
  template <typename T>
  using Handle = SyncTaskHandle<T>;
  template <typename T>
  using Group = SyncTaskGroup<T>;
  template <typename... Ts>
  using MixedGroup = SyncMixedGroup<Ts...>;
  /// What a task's value is, by what its callable returns.
  template <typename T>
  using Value = T;
};

}  // namespace osiiso
