// SPDX-License-Identifier: MIT
#include "osiiso/async_queue.hpp"

#include <algorithm>
#include <string>
#include <thread>
#include <utility>

#include <asio/this_coro.hpp>

#include "base/cpus.hpp"
#include "process/kept_groups.hpp"
#include "queue/async_workers.hpp"
#include "queue/engine.hpp"
#include "queue/loop_event.hpp"
#include "queue/uniform_batch.hpp"

namespace osiiso {
namespace {

using queue::AsyncWorkers;
using queue::LoopEvent;
using WorkersPtr = std::shared_ptr<AsyncWorkers>;

int worker_limit(const QueueOptions& options) {
  return options.workers ? *options.workers : std::clamp(4 * base::usable_cpus(), 4, 32);
}

std::shared_ptr<queue::Engine> make_engine(const QueueOptions& options) {
  validate(options);
  return std::make_shared<queue::Engine>(options, worker_limit(options));
}

// All coroutines here own what they use: the handle, group or queue that they were made of may be
// gone before they are. GCC 12 makes wrong code of a `co_await` among the arguments of a call in a
// condition, so that each stands in a statement of its own.

asio::awaitable<ResultPtr> wait_for_task(AnyAsyncTaskHandle handle, base::Instant deadline) {
  if (!handle.done()) {
    auto event = std::make_shared<LoopEvent>();
    handle.on_done([event](const AnyTaskHandle&) { event->fire(); });
    co_await LoopEvent::wait(std::move(event), deadline);
  }
  if (!handle.done()) throw TimeoutError("result not ready");
  co_return handle.result();
}

asio::awaitable<RunSummary> wait_for_group(std::vector<AnyAsyncTaskHandle> handles,
                                           base::Instant deadline) {
  ResultList results;
  for (const auto& handle : handles) results.push_back(co_await wait_for_task(handle, deadline));
  co_return detail::summary_of(results);
}

/// Throws where the awaiting coroutine is a task of the queue.
asio::awaitable<void> require_outside(WorkersPtr workers, const char* why_not) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  if (workers->is_inside(executor)) throw StateError(why_not);
}

/// The right to end the run that was begun; whoever goes without having ended it stops it.
class RunInHand {
 public:
  explicit RunInHand(queue::Engine& engine) : engine_(engine) {}
  ~RunInHand() {
    if (!in_hand_) return;
    engine_.kill();
    engine_.leave_run();
  }
  RunInHand(const RunInHand&) = delete;
  RunInHand& operator=(const RunInHand&) = delete;

  bool try_finish() {
    in_hand_ = false;  // also where an initializer's error is thrown
    summary_ = engine_.try_finish_run();
    in_hand_ = !summary_;
    return !in_hand_;
  }
  RunSummary& summary() { return *summary_; }

 private:
  queue::Engine& engine_;
  std::optional<RunSummary> summary_;
  bool in_hand_ = true;
};

asio::awaitable<void> stop_kept_servers(std::string run_id, Duration grace) {
  if (!process::any_kept(run_id)) co_return;
  auto event = std::make_shared<LoopEvent>();
  std::thread([run_id = std::move(run_id), grace, event] {
    process::stop_kept(run_id, grace);
    event->fire();
  }).detach();
  co_await LoopEvent::wait(std::move(event));
}

asio::awaitable<RunSummary> run_queue(WorkersPtr workers, std::optional<Duration> timeout,
                                      bool strict) {
  auto& engine = workers->engine();
  co_await require_outside(workers, "run() is already in progress");
  engine.begin_run(timeout);
  RunInHand run(engine);
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  workers->start(executor);
  co_await AsyncWorkers::until(workers, [&run] { return run.try_finish(); });
  co_await stop_kept_servers(engine.run_id(), engine.options().grace);
  if (strict) run.summary().raise_unless_ok();
  co_return std::move(run.summary());
}

asio::awaitable<void> wait_until_idle(WorkersPtr workers) {
  auto& engine = workers->engine();
  return AsyncWorkers::until(std::move(workers), [&engine] { return engine.try_join(); });
}

asio::awaitable<void> start_queue(WorkersPtr workers) {
  auto& engine = workers->engine();
  engine.require_not_closed();
  engine.note_started();
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  workers->start(executor);
}

asio::awaitable<void> join_queue(WorkersPtr workers) {
  workers->engine().require_not_closed();
  co_await require_outside(workers, "a task or hook cannot wait for its own queue to finish");
  co_await wait_until_idle(workers);
}

asio::awaitable<void> shut_down(WorkersPtr workers, bool force) {
  auto& engine = workers->engine();
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  if (!force)
    co_await require_outside(workers, "a task or hook cannot wait for its own queue to shut down");
  engine.close();
  if (force) engine.kill();
  if (workers->is_inside(executor)) co_return;  // the task that asked for it is one of those to end
  engine.note_started();
  workers->start(executor);
  co_await wait_until_idle(workers);
}

asio::awaitable<void> reset_queue(WorkersPtr workers) {
  auto& engine = workers->engine();
  co_await require_outside(workers, "a running queue cannot be reset");
  engine.begin_reset();
  co_await AsyncWorkers::until(workers, [&engine] { return engine.try_finish_reset(); });
}

}  // namespace

asio::awaitable<ResultPtr> AnyAsyncTaskHandle::wait(std::optional<Duration> timeout) const {
  return wait_for_task(*this, detail::deadline_after(timeout));
}

asio::awaitable<RunSummary> AnyAsyncTaskGroup::wait(std::optional<Duration> timeout) const {
  return wait_for_group(handles(), detail::deadline_after(timeout));
}

std::chrono::steady_clock::time_point detail::deadline_after(std::optional<Duration> timeout) {
  if (!timeout) return base::Instant::max();
  return base::saturating_add(base::now(), std::max(*timeout, Duration{0}));
}

asio::awaitable<std::optional<std::size_t>> detail::next_completed(
    CompletionOrder& order, std::chrono::steady_clock::time_point deadline) {
  while (!order.exhausted()) {
    auto event = std::make_shared<LoopEvent>();
    if (const auto index = order.try_next([event] { event->fire(); })) co_return index;
    const bool has_come = co_await LoopEvent::wait(std::move(event), deadline);
    if (!has_come) throw TimeoutError("handles did not complete within timeout");
  }
  co_return std::nullopt;
}

LoopQueue::LoopQueue(const QueueOptions& options)
    : engine_(make_engine(options)), workers_(AsyncWorkers::make(engine_, worker_limit(options))) {}

LoopQueue::~LoopQueue() {
  engine_->close();
  engine_->kill();
  workers_->release();
}

AnyAsyncTaskHandle LoopQueue::submit_body(TaskOptions options, TaskBody body) {
  return {engine_, engine_->submit(std::move(options), std::move(body), false)};
}

AnyAsyncTaskHandle LoopQueue::submit_body(TaskBody body) {
  return {engine_, engine_->submit(std::move(body), false)};
}

std::vector<AnyAsyncTaskHandle> LoopQueue::submit(Batch batch) {
  std::vector<AnyAsyncTaskHandle> handles;
  handles.reserve(batch.tasks().size());
  auto accepted = engine_->submit(std::move(batch), false);
  for (auto& record : accepted.tasks) handles.emplace_back(engine_, std::move(record));
  return handles;
}

void LoopQueue::post(Batch batch) {
  engine_->post(std::move(batch), false);
}

std::vector<AnyAsyncTaskHandle> LoopQueue::submit_all(TaskOptions options,
                                                      std::vector<TaskBody> bodies,
                                                      std::vector<RecorderPtr> recorders) {
  return submit(queue::uniform_batch(std::move(options), std::move(bodies), std::move(recorders)));
}

AnyAsyncTaskGroup LoopQueue::submit_group(TaskOptions options, std::vector<TaskBody> bodies,
                                          std::vector<RecorderPtr> recorders) {
  auto accepted = engine_->submit(
      queue::uniform_group(std::move(options), std::move(bodies), std::move(recorders)), false);
  std::vector<AnyAsyncTaskHandle> handles;
  handles.reserve(accepted.tasks.size());
  for (auto& record : accepted.tasks) handles.emplace_back(engine_, std::move(record));
  return {engine_, std::move(accepted.groups.front()), std::move(handles)};
}

asio::awaitable<void> LoopQueue::start() {
  return start_queue(workers_);
}

asio::awaitable<void> LoopQueue::join() {
  return join_queue(workers_);
}

asio::awaitable<RunSummary> LoopQueue::run(std::optional<Duration> timeout, bool strict) {
  return run_queue(workers_, timeout, strict);
}

void LoopQueue::halt(int signal, std::optional<Duration> grace) {
  engine_->halt(signal, grace);
}

void LoopQueue::kill() {
  engine_->kill();
}

asio::awaitable<void> LoopQueue::shutdown(bool force) {
  return shut_down(workers_, force);
}

asio::awaitable<void> LoopQueue::reset() {
  return reset_queue(workers_);
}

std::string LoopQueue::run_id() const {
  return engine_->run_id();
}

QueueStats LoopQueue::stats() const {
  return engine_->stats();
}

std::vector<RunningTask> LoopQueue::running() const {
  return engine_->running();
}

}  // namespace osiiso
