// SPDX-License-Identifier: MIT
#include "osiiso/task_handle.hpp"

#include <utility>

#include "osiiso/task_group.hpp"

#include "base/format.hpp"
#include "queue/engine.hpp"

namespace osiiso {
namespace {

constexpr const char* kNotReady = "result not ready";

}  // namespace

AnyTaskHandle::AnyTaskHandle(std::shared_ptr<queue::Engine> engine,
                             std::shared_ptr<queue::TaskRecord> record)
    : engine_(std::move(engine)), record_(std::move(record)) {}

ResultPtr AnyTaskHandle::wait_for(std::optional<Duration> timeout) const {
  auto result = engine_->wait(record_, timeout);
  if (!result) throw TimeoutError(kNotReady);
  return result;
}

ResultPtr AnyTaskHandle::result() const {
  auto result = engine_->result(record_);
  if (!result) throw StateError(kNotReady);
  return result;
}

ResultPtr AnyTaskHandle::succeeded() const {
  auto found = result();
  if (found->status == Status::failed) std::rethrow_exception(found->exception);
  if (found->status == Status::cancelled) {
    throw CancelledError(base::format("task '{}': {}", found->name, found->message));
  }
  return found;
}

std::exception_ptr AnyTaskHandle::exception() const {
  return result()->exception;
}

bool AnyTaskHandle::cancel() const {
  return engine_->cancel(record_);
}

bool AnyTaskHandle::done() const {
  return is_final(status());
}

bool AnyTaskHandle::cancelled() const {
  return status() == Status::cancelled;
}

Status AnyTaskHandle::status() const {
  return engine_->status(*record_);
}

int AnyTaskHandle::attempts() const {
  return engine_->attempts(*record_);
}

std::string AnyTaskHandle::task_id() const {
  return engine_->task_id(*record_);
}

std::string AnyTaskHandle::name() const {
  return engine_->name(*record_);
}

void AnyTaskHandle::on_done(std::function<void(const AnyTaskHandle&)> callback) const {
  engine_->on_done(record_, [handle = *this, callback = std::move(callback)] { callback(handle); });
}

AnyTaskHandle::operator TaskNeed() const {
  return {engine_, record_, nullptr};
}

const std::string& detail::group_id_of(const queue::GroupRecord& group) {
  return group.group_id.str();
}

RunSummary detail::summary_of(const ResultList& results) {
  RunSummary summary;
  for (const auto& result : results) summary.add(result);
  if (results.empty()) return summary;
  const auto started = [](const ResultPtr& result) {
    return result->started_at.value_or(result->finished_at);
  };
  Duration first = started(results.front());
  Duration last = first;
  for (const auto& result : results) {
    first = std::min(first, started(result));
    last = std::max(last, result->finished_at);
  }
  summary.duration = last - first;
  return summary;
}

RunSummary AnySyncTaskGroup::wait(std::optional<Duration> timeout) const {
  const auto deadline =
      timeout ? base::saturating_add(base::now(), *timeout) : base::Instant::max();
  ResultList results;
  results.reserve(size());
  for (const auto& handle : handles()) {
    results.push_back(handle.wait(timeout ? std::optional(deadline - base::now()) : std::nullopt));
  }
  return detail::summary_of(results);
}

}  // namespace osiiso
