// SPDX-License-Identifier: MIT
#include "osiiso/sync_queue.hpp"

#include <exception>
#include <utility>

#include "process/kept_groups.hpp"
#include "queue/engine.hpp"
#include "queue/sync_workers.hpp"
#include "queue/uniform_batch.hpp"

namespace osiiso {
namespace {

/// One task as a batch, which is admitted as room appears.
Batch batch_of(TaskOptions options, TaskBody body) {
  Batch batch;
  const auto shared = std::make_shared<const TaskOptions>(std::move(options));
  batch.add(shared->name, shared, std::move(body));
  return batch;
}

}  // namespace

SyncQueue::SyncQueue(std::shared_ptr<queue::Engine> engine,
                     std::unique_ptr<queue::SyncWorkers> workers)
    : engine_(std::move(engine)),
      workers_(std::move(workers)),
      exceptions_(std::uncaught_exceptions()) {
  engine_->attach(workers_.get());
}

SyncQueue::~SyncQueue() {
  try {
    shutdown(std::uncaught_exceptions() > exceptions_);
  } catch (const SystemError&) {  // there are no threads to be had
    shutdown(true);
  }
  engine_->attach(nullptr);
}

AnySyncTaskHandle SyncQueue::submit_body(TaskOptions options, TaskBody body) {
  if (engine_->options().size > 0) {
    // A bounded queue would wait for ever for room that nobody makes, and so would a task for the
    // room that it takes up itself.
    start_workers();
    if (is_inside()) {
      validate(options);
      auto accepted = engine_->submit(batch_of(std::move(options), std::move(body)));
      return {engine_, std::move(accepted.tasks.front())};
    }
  }
  return {engine_, engine_->submit(std::move(options), std::move(body))};
}

AnySyncTaskHandle SyncQueue::submit_body(TaskBody body) {
  if (engine_->options().size > 0) return submit_body(TaskOptions{}, std::move(body));
  return {engine_, engine_->submit(std::move(body))};
}

std::vector<AnySyncTaskHandle> SyncQueue::submit(Batch batch) {
  std::vector<AnySyncTaskHandle> handles;
  handles.reserve(batch.tasks().size());
  auto accepted = engine_->submit(std::move(batch));
  for (auto& record : accepted.tasks) handles.emplace_back(engine_, std::move(record));
  return handles;
}

void SyncQueue::post(Batch batch) {
  engine_->post(std::move(batch));
}

std::vector<AnySyncTaskHandle> SyncQueue::submit_all(TaskOptions options,
                                                     std::vector<TaskBody> bodies,
                                                     std::vector<RecorderPtr> recorders) {
  return submit(queue::uniform_batch(std::move(options), std::move(bodies), std::move(recorders)));
}

AnySyncTaskGroup SyncQueue::submit_group(TaskOptions options, std::vector<TaskBody> bodies,
                                         std::vector<RecorderPtr> recorders) {
  auto accepted = engine_->submit(
      queue::uniform_group(std::move(options), std::move(bodies), std::move(recorders)));
  std::vector<AnySyncTaskHandle> handles;
  handles.reserve(accepted.tasks.size());
  for (auto& record : accepted.tasks) handles.emplace_back(engine_, std::move(record));
  return {engine_, std::move(accepted.groups.front()), std::move(handles)};
}

void SyncQueue::start() {
  engine_->require_not_closed();
  start_workers();
}

void SyncQueue::join() {
  engine_->require_not_closed();
  require_outside("a task or hook cannot wait for its own queue to finish");
  engine_->wait_until_idle();
}

RunSummary SyncQueue::run(std::optional<Duration> timeout, bool strict) {
  require_outside("run() is already in progress");
  engine_->begin_run(timeout);
  try {
    workers_->start();
  } catch (...) {
    engine_->leave_run();
    throw;
  }
  auto summary = engine_->finish_run();
  process::stop_kept(engine_->run_id(), engine_->options().grace);
  workers_->end_run();
  if (strict) summary.raise_unless_ok();
  return summary;
}

void SyncQueue::halt(int signal, std::optional<Duration> grace) {
  engine_->halt(signal, grace);
}

void SyncQueue::kill() {
  engine_->kill();
}

void SyncQueue::shutdown(bool force) {
  if (!force) require_outside("a task or hook cannot wait for its own queue to shut down");
  engine_->close();
  if (force) engine_->kill();
  if (is_inside()) return;  // the task or hook that asked for it is one of those to end
  if (!force) start_workers();
  engine_->wait_until_idle();
}

void SyncQueue::reset() {
  require_outside("a running queue cannot be reset");
  engine_->reset();
}

void SyncQueue::start_workers() {
  engine_->note_started();
  workers_->start();
}

void SyncQueue::require_outside(const char* why_not) const {
  if (is_inside()) throw StateError(why_not);
}

bool SyncQueue::is_inside() const {
  return workers_->is_worker_thread() || engine_->calls_hooks_here();
}

std::string SyncQueue::run_id() const {
  return engine_->run_id();
}

QueueStats SyncQueue::stats() const {
  return engine_->stats();
}

std::vector<RunningTask> SyncQueue::running() const {
  return engine_->running();
}

}  // namespace osiiso
