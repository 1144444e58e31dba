// SPDX-License-Identifier: MIT
#include "base/stop_state.hpp"

#include <algorithm>

namespace osiiso::base {

void StopState::request(StopRequest request) {
  std::optional<std::stop_source> source;
  {
    const std::lock_guard lock(mutex_);
    ++version_;
    if (latest_) request.grace = std::min(request.grace, latest_->grace);
    latest_ = request;
    if (waker_ != nullptr) waker_->wake();
    source = source_;
  }
  // Outside the lock: a stop callback may be anybody's code.
  if (source) source->request_stop();
}

void StopState::renew() {
  const std::lock_guard lock(mutex_);
  version_ = 0;
  latest_.reset();
  source_.reset();
}

unsigned StopState::version() const {
  const std::lock_guard lock(mutex_);
  return version_;
}

std::optional<StopRequest> StopState::latest() const {
  const std::lock_guard lock(mutex_);
  return latest_;
}

void StopState::attach(Waker& waker) {
  const std::lock_guard lock(mutex_);
  waker_ = &waker;
  if (latest_) waker.wake();
}

void StopState::detach() {
  const std::lock_guard lock(mutex_);
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

void StopBell::wake() noexcept {
  const std::lock_guard lock(mutex_);
  rang_ = true;
  condition_.notify_one();
}

void StopBell::wait(Instant until) {
  std::unique_lock lock(mutex_);
  wait_until(condition_, lock, until, [this] { return rang_; });
}

}  // namespace osiiso::base
