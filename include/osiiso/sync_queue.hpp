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
  /// call is harmless. From inside a task a graceful one throws `StateError`, a forced one does
  /// not wait for the end.
  void shutdown(bool force = false);

  /// Cancels what is pending, forgets all results, and opens a queue again that was shut down.
  /// Throws `StateError` during a run and from a task.
  void reset();

  QueueStats stats() const;

 protected:
  SyncQueue(std::shared_ptr<queue::Engine> engine, std::unique_ptr<queue::SyncWorkers> workers);
  /// Graceful shutdown: waits for everything outstanding. Forced while an exception passes.
  ~SyncQueue();

  AnySyncTaskHandle submit_body(TaskOptions options, TaskBody body);
  AnySyncTaskGroup submit_group(TaskOptions options, std::vector<TaskBody> bodies);
  std::vector<AnySyncTaskHandle> submit_all(TaskOptions options, std::vector<TaskBody> bodies);

 private:
  void start_workers();
  /// Throws `StateError` with this text in a thread of a worker.
  void require_outside(const char* why_not) const;

  std::shared_ptr<queue::Engine> engine_;
  std::unique_ptr<queue::SyncWorkers> workers_;
  int exceptions_;  // under way when the queue was made
};

/// The typed ways to submit. `Queue::make_body(bound)` says how a bound task becomes a body.
template <typename Queue>
class Submitting : public SyncQueue {
 public:
  /// Accepts one call of `function` with these arguments, which are stored by value. On a bounded
  /// queue that is full it starts the workers and waits for room. Throws `OptionError` (a broken
  /// rule, or nothing to call) or `ClosedError` (`queue is not accepting tasks`). From inside a
  /// task it never waits: the new task is admitted as room appears.
  template <typename F, typename... Args>
  auto submit(TaskOptions options, F&& function, Args&&... arguments) {
    return submit_bound(std::move(options),
                        make_bound(std::forward<F>(function), std::forward<Args>(arguments)...));
  }
  template <typename F, typename... Args>
  requires(!std::is_convertible_v<F, TaskOptions> &&
           !std::is_same_v<std::decay_t<F>, Batch>) auto submit(F&& function, Args&&... arguments) {
    return submit(TaskOptions{}, std::forward<F>(function), std::forward<Args>(arguments)...);
  }
  using SyncQueue::submit;

  /// One call of `function` for each item; a tuple is spread as arguments. The handles stand in the
  /// order of the items.
  template <typename F, typename Items>
  auto map(TaskOptions options, const F& function, Items&& items) {
    using Handle = SyncTaskHandle<item_value_t<F, Items>>;
    std::vector<Handle> handles;
    for (auto& handle : submit_all(std::move(options), bodies_of(function, items))) {
      handles.push_back(as<Handle>(std::move(handle)));
    }
    return handles;
  }
  template <typename F, typename Items>
  auto map(const F& function, Items&& items) {
    return map(TaskOptions{}, function, std::forward<Items>(items));
  }

  /// The same under one identifier: `options.group_id`, without one `group-N`.
  template <typename F, typename Items>
  requires(!detail::is_bound<std::decay_t<F>>) auto group(TaskOptions options, const F& function,
                                                          Items&& items) {
    auto made = submit_group(std::move(options), bodies_of(function, items));
    return as<SyncTaskGroup<item_value_t<F, Items>>>(std::move(made));
  }
  template <typename F, typename Items>
  requires(!detail::is_bound<std::decay_t<F>> &&
           !std::is_convertible_v<F, TaskOptions>) auto group(const F& function, Items&& items) {
    return group(TaskOptions{}, function, std::forward<Items>(items));
  }

  /// A group of mixed calls: `queue.group({.group_id = "g"}, bound(f, 1), bound(g, "x"))`.
  template <typename... Bounds>
  requires(detail::is_bound<std::decay_t<Bounds>>&&...) auto group(TaskOptions options,
                                                                   Bounds&&... calls) {
    std::vector<TaskBody> bodies;
    bodies.reserve(sizeof...(calls));
    (bodies.push_back(Queue::make_body(std::forward<Bounds>(calls))), ...);
    auto made = submit_group(std::move(options), std::move(bodies));
    return as<SyncMixedGroup<detail::value_t<std::decay_t<Bounds>>...>>(std::move(made));
  }

  /// A function that submits: `auto fetch_task = queue.bind({.retries = 2}, fetch);` and then
  /// `fetch_task(url)` gives a handle. The queue must outlive it.
  template <typename F>
  auto bind(TaskOptions options, F function) {
    return [this, options = std::move(options), function = std::move(function)](auto&&... args) {
      return submit(options, function, std::forward<decltype(args)>(args)...);
    };
  }

 protected:
  using SyncQueue::SyncQueue;
  ~Submitting() = default;

 private:
  template <typename F, typename... Args>
  static auto make_bound(F&& function, Args&&... arguments) {
    if constexpr (detail::is_bound<std::decay_t<F>> || std::is_same_v<std::decay_t<F>, Command> ||
                  std::is_same_v<std::decay_t<F>, TaskBody>) {
      static_assert(sizeof...(Args) == 0);
      return std::forward<F>(function);
    } else {
      return bound(std::forward<F>(function), std::forward<Args>(arguments)...);
    }
  }

  template <typename Bound>
  auto submit_bound(TaskOptions options, Bound&& call) {
    using Made = std::decay_t<Bound>;
    auto handle = submit_body(std::move(options), Queue::make_body(std::forward<Bound>(call)));
    if constexpr (std::is_same_v<Made, TaskBody>) {
      return handle;
    } else {
      return as<SyncTaskHandle<detail::value_t<Made>>>(std::move(handle));
    }
  }

  template <typename F, typename Items>
  using item_value_t = detail::value_t<decltype(detail::bind_item(
      std::declval<const F&>(), *std::begin(std::declval<Items&>())))>;

  template <typename F, typename Items>
  static std::vector<TaskBody> bodies_of(const F& function, Items& items) {
    std::vector<TaskBody> bodies;
    for (auto&& item : items) {
      bodies.push_back(Queue::make_body(detail::bind_item(function, item)));
    }
    return bodies;
  }

  /// The erased handle or group as what it is known to be.
  template <typename Typed, typename Erased>
  static Typed as(Erased&& erased) {
    return Typed(std::forward<Erased>(erased));
  }
};

}  // namespace osiiso
