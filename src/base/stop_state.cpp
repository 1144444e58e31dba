// SPDX-License-Identifier: MIT
#include "base/stop_state.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace osiiso::base {
namespace {

void wake(int eventfd) {
  const std::uint64_t one = 1;
  // The only failure is a full counter, which wakes just as well.
  [[maybe_unused]] const auto written = ::write(eventfd, &one, sizeof one);
}

}  // namespace

void StopState::request(StopRequest request) {
  std::optional<std::stop_source> source;
  {
    const std::lock_guard lock(mutex_);
    ++version_;
    if (latest_) request.grace = std::min(request.grace, latest_->grace);
    latest_ = request;
    if (wake_ >= 0) wake(wake_);
    if (waker_ != nullptr) waker_->wake();
    source = source_;
  }
  // Outside the lock: a stop callback may be anybody's code.
  if (source) source->request_stop();
}

unsigned StopState::version() const {
  const std::lock_guard lock(mutex_);
  return version_;
}

std::optional<StopRequest> StopState::latest() const {
  const std::lock_guard lock(mutex_);
  return latest_;
}

void StopState::attach(int wake_descriptor) {
  const std::lock_guard lock(mutex_);
  wake_ = wake_descriptor;
  if (latest_) wake(wake_);
}

void StopState::attach(Waker& waker) {
  const std::lock_guard lock(mutex_);
  waker_ = &waker;
  if (latest_) waker.wake();
}

void StopState::detach() {
  const std::lock_guard lock(mutex_);
  wake_ = -1;
  waker_ = nullptr;
}

std::stop_token StopState::token() {
  std::unique_lock lock(mutex_);
  if (!source_) source_.emplace();
  const std::stop_source source = *source_;
  const bool already = latest_.has_value();
  lock.unlock();
  // Outside the lock: a stop callback may be anybody's code.
  if (already) source.request_stop();
  return source.get_token();
}

}  // namespace osiiso::base
