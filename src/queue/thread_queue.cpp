// SPDX-License-Identifier: MIT
#include "osiiso/thread_queue.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/cpus.hpp"
#include "process/kept_groups.hpp"
#include "queue/engine.hpp"
#include "queue/thread_workers.hpp"

namespace osiiso {
namespace {

int worker_limit(const QueueOptions& options) {
  return options.workers ? *options.workers : std::clamp(4 * base::usable_cpus(), 4, 32);
}

}  // namespace

ThreadQueue::ThreadQueue(QueueOptions options) : exceptions_(std::uncaught_exceptions()) {
  validate(options);
  const int limit = worker_limit(options);
  engine_ = std::make_shared<queue::Engine>(options, limit);
  workers_ = std::make_unique<queue::ThreadWorkers>(engine_, limit);
  engine_->attach(workers_.get());
}

ThreadQueue::~ThreadQueue() {
  shutdown(std::uncaught_exceptions() > exceptions_);
  engine_->attach(nullptr);
}

SyncTaskHandle ThreadQueue::submit(TaskOptions options, TaskBody body) {
  if (engine_->options().size > 0) start_workers();
  return {engine_, engine_->submit(std::move(options), std::move(body))};
}

std::vector<SyncTaskHandle> ThreadQueue::submit(Batch batch) {
  auto records = engine_->submit(std::move(batch));
  std::vector<SyncTaskHandle> handles;
  handles.reserve(records.size());
  for (auto& record : records) handles.emplace_back(engine_, std::move(record));
  return handles;
}

void ThreadQueue::start_workers() {
  engine_->note_started();
  workers_->start();
}

RunSummary ThreadQueue::run(std::optional<Duration> timeout, bool strict) {
  engine_->begin_run(timeout);
  workers_->start();
  auto summary = engine_->finish_run();
  process::stop_kept(engine_->options().grace);
  if (strict) summary.raise_unless_ok();
  return summary;
}

void ThreadQueue::halt(int signal, std::optional<Duration> grace) {
  engine_->halt(signal, grace);
}

void ThreadQueue::kill() {
  engine_->kill();
}

void ThreadQueue::shutdown(bool force) {
  if (!force && workers_->is_worker_thread()) {
    throw StateError("a task cannot wait for its own queue to shut down");
  }
  engine_->close();
  if (force) engine_->kill();
  start_workers();
  engine_->wait_until_idle();
}

}  // namespace osiiso
