// SPDX-License-Identifier: MIT
#pragma once

#include <poll.h>

#include <cstdint>
#include <optional>
#include <span>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "base/stop_state.hpp"

namespace osiiso::base {

/// Waits until one of `waited` is ready or the deadline has come; their `revents` say which. After
/// a signal none is. Throws `SystemError`.
void poll_until(std::span<pollfd> waited, std::optional<Instant> deadline);

/// Wakes a poll() when a stop is requested of one attempt.
class StopWake final : public StopSource, private Waker {
 public:
  /// By an eventfd that must live longer.
  StopWake(StopState& stop, const Descriptor& event);
  ~StopWake();
  StopWake(const StopWake&) = delete;
  StopWake& operator=(const StopWake&) = delete;

  int descriptor() const override { return event_.get(); }
  std::optional<StopRequest> take() override;

 private:
  void wake() noexcept override;
  void clear() const;

  StopState& stop_;
  const Descriptor& event_;
};

/// Waits until something is requested, at most until then. Returns whether it was.
bool wait_for_stop(StopSource& stops, Instant until);

}  // namespace osiiso::base
