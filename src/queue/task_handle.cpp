// SPDX-License-Identifier: MIT
#include "osiiso/task_handle.hpp"

#include <utility>

#include "queue/engine.hpp"

namespace osiiso {
namespace {

constexpr const char* kNotReady = "result not ready";

}  // namespace

SyncTaskHandle::SyncTaskHandle(std::shared_ptr<queue::Engine> engine,
                               std::shared_ptr<queue::TaskRecord> record)
    : engine_(std::move(engine)), record_(std::move(record)) {}

SyncTaskHandle::~SyncTaskHandle() = default;

ResultPtr SyncTaskHandle::wait(std::optional<Duration> timeout) const {
  auto result = engine_->wait(*record_, timeout);
  if (!result) throw TimeoutError(kNotReady);
  return result;
}

ResultPtr SyncTaskHandle::result() const {
  auto result = engine_->result(*record_);
  if (!result) throw StateError(kNotReady);
  return result;
}

std::exception_ptr SyncTaskHandle::exception() const {
  return result()->exception;
}

bool SyncTaskHandle::cancel() const {
  return engine_->cancel(record_);
}

bool SyncTaskHandle::done() const {
  return is_final(status());
}

bool SyncTaskHandle::cancelled() const {
  return status() == Status::cancelled;
}

Status SyncTaskHandle::status() const {
  return engine_->status(*record_);
}

int SyncTaskHandle::attempts() const {
  return engine_->attempts(*record_);
}

std::string SyncTaskHandle::task_id() const {
  return engine_->task_id(*record_);
}

std::string SyncTaskHandle::name() const {
  return engine_->name(*record_);
}

}  // namespace osiiso
