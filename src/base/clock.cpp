// SPDX-License-Identifier: MIT
#include "base/clock.hpp"

#include <atomic>
#include <cstdint>

namespace osiiso::base {
namespace {

// One word, so that no reader sees a half of a change. Not negative: how far the clock is behind
// the system's. Negative: it stands still, at the instant of the same amount.
std::atomic<std::int64_t> state{0};

Instant system_now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

Instant now() {
  for (std::int64_t before = state.load(std::memory_order_acquire);;) {
    if (before < 0) return Instant(Duration(-before));
    const Instant at = system_now() - Duration(before);
    // A whole pause may have passed between the two looks.
    const std::int64_t after = state.load(std::memory_order_acquire);
    if (after == before) return at;
    before = after;
  }
}

ClockPause::ClockPause() : at_(now()) {
  state.store(-at_.time_since_epoch().count(), std::memory_order_release);
}

ClockPause::~ClockPause() {
  state.store((system_now() - at_).count(), std::memory_order_release);
}

Instant timer_instant(Instant at) {
  return at == Instant::max() ? at : saturating_add(system_now(), std::max(at - now(), Duration{}));
}

}  // namespace osiiso::base
