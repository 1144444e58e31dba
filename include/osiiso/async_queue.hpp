// SPDX-License-Identifier: MIT
#pragma once

#include <any>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include "osiiso/batch.hpp"
#include "osiiso/completions.hpp"
#include "osiiso/queue_options.hpp"
#include "osiiso/queue_stats.hpp"
#include "osiiso/run_summary.hpp"
#include "osiiso/submitting.hpp"
#include "osiiso/task_group.hpp"
#include "osiiso/task_handle.hpp"

// The only header of osiiso that includes Asio (standalone). Clang 14 needs ASIO_HAS_CO_AWAIT and
// ASIO_HAS_STD_COROUTINE defined; the CMake target hands both on.

namespace osiiso {

namespace queue {
class AsyncWorkers;
class Engine;
}  // namespace queue

namespace detail {

template <typename T>
struct Awaited {
  using type = T;
  static constexpr bool is_awaitable = false;
};
template <typename T, typename Executor>
struct Awaited<asio::awaitable<T, Executor>> {
  using type = T;
  static constexpr bool is_awaitable = true;
};

/// A task that runs in the loop: what an `AsyncQueue` looks for in a `TaskBody`.
struct CoroutineCall {
  std::function<asio::awaitable<std::any>(const TaskContext&)> start;
  bool single_use = false;

  bool is_null() const { return start == nullptr; }
  bool is_single_use() const { return single_use; }
  /// A queue that cannot await gets here.
  std::any operator()(const TaskContext&) const {
    throw OptionError("a coroutine needs an AsyncQueue");
  }
};

// The frame owns the callable and its arguments as long as the coroutine may use them.
template <typename Bound>
asio::awaitable<std::any> await_erased(std::shared_ptr<Bound> call, const TaskContext& context) {
  if constexpr (std::is_void_v<typename Awaited<value_t<Bound>>::type>) {
    co_await (*call)(context);
    co_return std::any();
  } else {
    auto value = co_await (*call)(context);
    co_return erased(std::move(value));
  }
}

template <typename F, typename... Args>
CoroutineCall coroutine_call(BoundTask<F, Args...> call) {
  using Bound = BoundTask<F, Args...>;
  if (call.is_null()) return {};
  return {.start = [shared = std::make_shared<Bound>(std::move(call))](
                       const TaskContext& context) { return await_erased(shared, context); },
          .single_use = Bound::kSingleUse};
}

/// None: never.
std::chrono::steady_clock::time_point deadline_after(std::optional<Duration> timeout);

asio::awaitable<std::optional<std::size_t>> next_completed(
    CompletionOrder& order, std::chrono::steady_clock::time_point deadline);

}  // namespace detail

/// A task of an `AsyncQueue`. All members may be called from any thread.
class AnyAsyncTaskHandle : public AnyTaskHandle {
 public:
  using AnyTaskHandle::AnyTaskHandle;

  /// `co_await handle.wait()` gives the result when the task is final. After `timeout` it throws
  /// `TimeoutError`, `result not ready`; the task goes on. The coroutine is resumed on its own
  /// executor; cancelling it ends the wait. Does not start the queue.
  asio::awaitable<ResultPtr> wait(std::optional<Duration> timeout = {}) const;
};

/// The same with the type of the task's value.
template <typename T = void>
class TaskHandle : public AnyAsyncTaskHandle {
 public:
  using AnyAsyncTaskHandle::AnyAsyncTaskHandle;
  /// The handle of a task that is known to return a `T`.
  explicit TaskHandle(AnyAsyncTaskHandle erased) : AnyAsyncTaskHandle(std::move(erased)) {}

  /// As `SyncTaskHandle::value`. Does not wait: `co_await handle.wait()` comes first.
  decltype(auto) value() const { return detail::value_of<T>(*succeeded()); }
};

/// Handles in order of completion, as an asynchronous range:
///
///     auto completed = AsyncQueue::as_completed(handles, 30s);
///     while (auto handle = co_await completed.next()) use(handle->value());
///
/// Not thread-safe; must live until `next` has returned.
template <typename Handle>
class AsyncCompletions {
 public:
  AsyncCompletions(std::vector<Handle> handles, std::optional<Duration> timeout)
      : handles_(std::move(handles)),
        order_({handles_.begin(), handles_.end()}),
        deadline_(detail::deadline_after(timeout)) {}

  /// The handle of the task that ended next, none when all were told. Past the budget throws
  /// `TimeoutError`, `handles did not complete within timeout`.
  asio::awaitable<std::optional<Handle>> next() {
    const auto index = co_await detail::next_completed(order_, deadline_);
    if (!index) co_return std::nullopt;
    co_return handles_[*index];
  }

 private:
  std::vector<Handle> handles_;
  CompletionOrder order_;
  std::chrono::steady_clock::time_point deadline_;
};

/// A group of an `AsyncQueue`.
class AnyAsyncTaskGroup : public AnyTaskGroup<AnyAsyncTaskHandle> {
 public:
  using AnyTaskGroup::AnyTaskGroup;

  /// As `AnySyncTaskGroup::wait`, without blocking.
  asio::awaitable<RunSummary> wait(std::optional<Duration> timeout = {}) const;

  /// The handles in order of completion; see `AsyncCompletions`.
  AsyncCompletions<AnyAsyncTaskHandle> as_completed(std::optional<Duration> timeout = {}) const {
    return {handles(), timeout};
  }
};

/// One callable over inputs: all values have one type.
template <typename T>
class TaskGroup : public AnyAsyncTaskGroup {
 public:
  using AnyAsyncTaskGroup::AnyAsyncTaskGroup;
  /// The group whose members are known to return this type.
  explicit TaskGroup(AnyAsyncTaskGroup erased) : AnyAsyncTaskGroup(std::move(erased)) {}

  /// As `SyncTaskGroup::values`. Does not wait.
  std::vector<detail::stored_t<T>> values() const { return detail::values_of<T>(succeeded()); }
};

/// Mixed callables: a value of each.
template <typename... Ts>
class MixedTaskGroup : public AnyAsyncTaskGroup {
 public:
  using AnyAsyncTaskGroup::AnyAsyncTaskGroup;
  /// The group whose members are known to return these types.
  explicit MixedTaskGroup(AnyAsyncTaskGroup erased) : AnyAsyncTaskGroup(std::move(erased)) {}

  /// As `SyncMixedGroup::values`. Does not wait.
  std::tuple<detail::stored_t<Ts>...> values() const {
    return detail::tuple_of<Ts...>(succeeded());
  }
};

/// `AsyncQueue` but for how a callable becomes a task. What returns an awaitable must be awaited on
/// the loop that is to run the tasks; all else may be called from any thread.
class LoopQueue {
 public:
  LoopQueue(const LoopQueue&) = delete;
  LoopQueue& operator=(const LoopQueue&) = delete;

  /// Accepts all tasks of the batch or, where it throws as `submit` does, none; on a bounded queue
  /// that has not room for all of them, none. The handles stand in the order of the batch. A
  /// coroutine stands in it as `AsyncQueue::coroutine(f, arguments...)`.
  std::vector<AnyAsyncTaskHandle> submit(Batch batch);

  /// As `submit(Batch)`, for those who need no handles. A task that waits then takes little more
  /// memory than in the batch, unless `Hooks::on_submit` is set, which counts where there are a
  /// million of them (see `QueueOptions::keep_results` for those that are finished).
  void post(Batch batch);

  /// From now on tasks run on the awaiting coroutine's loop, without anybody waiting for them.
  asio::awaitable<void> start();

  /// Ends when nothing is outstanding; the queue must have been started. Throws `ClosedError` after
  /// a shutdown, `StateError` inside a task of this queue.
  asio::awaitable<void> join();

  /// As `SyncQueue::run`, on the awaiting coroutine's loop. Cancelling it cancels everything, at
  /// once. Throws `StateError` where tasks still run on another loop.
  asio::awaitable<RunSummary> run(std::optional<Duration> timeout = {}, bool strict = false);

  /// As `SyncQueue::halt`: ordinary tasks are cancelled.
  void halt(int signal = SIGTERM, std::optional<Duration> grace = {});

  /// As `SyncQueue::kill`: everything is cancelled.
  void kill();

  /// No more tasks. Graceful: ends when everything outstanding is final; forced: as `kill()`. A
  /// second call is harmless. Inside a task of this queue a graceful one throws `StateError`, a
  /// forced one does not wait for the end.
  asio::awaitable<void> shutdown(bool force = false);

  /// As `SyncQueue::reset`; ends when what was cancelled has ended.
  asio::awaitable<void> reset();

  /// 32 hex digits, of all runs of this queue: what commands have as `OSIISO_RUN_ID`.
  std::string run_id() const;

  QueueStats stats() const;

  /// What runs at this moment, the longest-running attempt first.
  std::vector<RunningTask> running() const;

 protected:
  explicit LoopQueue(const QueueOptions& options);
  ~LoopQueue();

  AnyAsyncTaskHandle submit_body(TaskOptions options, TaskBody body);
  AnyAsyncTaskHandle submit_body(TaskBody body);  // with default options
  // `recorders`: one for each body, or none at all.
  AnyAsyncTaskGroup submit_group(TaskOptions options, std::vector<TaskBody> bodies,
                                 std::vector<RecorderPtr> recorders = {});
  std::vector<AnyAsyncTaskHandle> submit_all(TaskOptions options, std::vector<TaskBody> bodies,
                                             std::vector<RecorderPtr> recorders = {});

 private:
  // Shared with the loop, where attempts may outlive the queue.
  std::shared_ptr<queue::Engine> engine_;
  std::shared_ptr<queue::AsyncWorkers> workers_;
};

/// What an `AsyncQueue` gives out, see `Submitting`.
struct AsyncKinds {
  using Queue = LoopQueue;
  template <typename T>
  using Handle = TaskHandle<T>;
  template <typename T>
  using Group = TaskGroup<T>;
  template <typename... Ts>
  using MixedGroup = MixedTaskGroup<Ts...>;
  template <typename T>
  using Value = typename detail::Awaited<T>::type;
};

/// Runs tasks in one event loop, thousands at the same time without a thread each.
///
///     asio::awaitable<std::string> fetch(std::string url);
///
///     asio::awaitable<void> main_task() {
///       osiiso::AsyncQueue queue({.workers = 100});
///       auto page = queue.submit({.retries = 3, .timeout = 5s}, fetch, url);
///       auto tidy = queue.submit(osiiso::Command::shell("rm -rf scratch"));
///       osiiso::RunSummary summary = co_await queue.run();
///       use(page.value());
///     }
///     int main() { osiiso::run(main_task()); }
///
/// The loop is that of the coroutine which awaits `run()` or `start()`. Tasks are
/// - callables that return `asio::awaitable<T>`: they run in the loop, no two of them at the same
///   time (all on one strand), and must not block it. Arguments are stored by value and handed over
///   as lvalues, which stay valid until the coroutine ends. On a timeout or cancel what the
///   coroutine awaits is cancelled (`asio::cancellation_type::terminal`); what it throws then does
///   not count. One that goes on is given up after its grace: it runs to its end, and its outcome
///   is dropped.
/// - other functions: each runs on a thread of its own, as in a `ThreadQueue`.
/// - commands: they are watched from the loop, with three open files each.
/// A callable may take a `std::stop_token` or a `const TaskContext&` first.
///
/// A full bounded queue throws `QueueFullError`, `queue is full (3 tasks outstanding)`.
///
/// The end of its scope cannot wait: what is outstanding is cancelled at once, as by `kill()`. So
/// `co_await queue.run()`, or else `co_await queue.shutdown()`, comes before. Tasks outlive the
/// queue while they end; what they refer to must live until then.
class AsyncQueue final : public Submitting<AsyncQueue, AsyncKinds> {
 public:
  /// Throws `OptionError` where the options break a rule. Nothing is started yet.
  explicit AsyncQueue(const QueueOptions& options = {}) : Submitting(options) {}

  /// Each handle once as its task ends, those that have ended already first; `timeout` is one
  /// budget for all. See `AsyncCompletions` for how to walk through them.
  template <typename Handle>
  static AsyncCompletions<Handle> as_completed(std::vector<Handle> handles,
                                               std::optional<Duration> timeout = {}) {
    return {std::move(handles), timeout};
  }

  /// A coroutine function and its arguments as a batch takes them.
  template <typename F, typename... Args>
  static TaskBody coroutine(F&& function, Args&&... arguments) {
    return make_body(bound(std::forward<F>(function), std::forward<Args>(arguments)...));
  }

 private:
  friend class Submitting<AsyncQueue, AsyncKinds>;

  template <typename Call>
  static TaskBody make_body(Call&& call) {
    if constexpr (detail::Awaited<detail::value_t<std::decay_t<Call>>>::is_awaitable) {
      return TaskBody(detail::coroutine_call(std::forward<Call>(call)));
    } else {
      return TaskBody(std::forward<Call>(call));
    }
  }
};

/// Runs `function` over the items on a queue of its own and returns the values in their order.
/// Throws `ExecutionError` if a call failed or was cancelled.
template <typename F, typename Items>
auto amap(F function, Items items, QueueOptions options = {})
    -> asio::awaitable<decltype(std::declval<AsyncQueue&>().group(function, items).values())> {
  AsyncQueue queue(options);
  const auto group = queue.group(function, items);
  co_await queue.run();
  co_return group.values();
}

/// Runs the awaitable to its end in an event loop of its own on the calling thread; returns its
/// value or throws what it threw. What else is in the loop then is dropped.
template <typename T>
T run(asio::awaitable<T> main) {
  // Not every value can be made without arguments, as the completion of `co_spawn` wants it.
  using Value = std::optional<detail::stored_t<T>>;
  constexpr auto keep = [](asio::awaitable<T> task, Value& value) -> asio::awaitable<void> {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(task);
      value.emplace();
    } else {
      value.emplace(co_await std::move(task));
    }
  };
  Value value;
  std::exception_ptr error;
  {
    asio::io_context context(1);
    asio::co_spawn(context, keep(std::move(main), value), [&](std::exception_ptr thrown) {
      error = std::move(thrown);
      context.stop();
    });
    context.run();
  }
  if (error) std::rethrow_exception(error);
  if constexpr (!std::is_void_v<T>) return std::move(*value);
}

}  // namespace osiiso
