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

/// Wakes a poll() when a stop is requested. Made for each attempt: a descriptor that stayed open
/// in a thread of the host's would be in its way, and saves a millionth of a second.
class StopWake final : private Waker {
 public:
  explicit StopWake(StopState& stop);
  /// By an eventfd of the caller's, which must live longer.
  StopWake(StopState& stop, const Descriptor& event);
  ~StopWake();
  StopWake(const StopWake&) = delete;
  StopWake& operator=(const StopWake&) = delete;

  int descriptor() const { return event_.get(); }
  /// What is requested by now; wakes again for what comes later.
  std::optional<StopRequest> take() const;

 private:
  void wake() noexcept override;
  void clear() const;

  StopState& stop_;
  const Descriptor own_;
  const Descriptor& event_;
};

}  // namespace osiiso::base
