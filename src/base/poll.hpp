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
  ~StopWake();
  StopWake(const StopWake&) = delete;
  StopWake& operator=(const StopWake&) = delete;

  int descriptor() const { return wake_.get(); }
  void clear() const;

 private:
  void wake() noexcept override;

  StopState& stop_;
  Descriptor wake_;
};

}  // namespace osiiso::base
