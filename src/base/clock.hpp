// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "osiiso/duration.hpp"

namespace osiiso::base {

/// A moment on the monotonic clock, which leaves out what was paused. Only `run_at` ever comes from
/// the wall clock.
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;

Instant now();

/// `at + span`, held at the last instant instead of overflowing. `span` is not negative.
constexpr Instant saturating_add(Instant at, Duration span) {
  return span > Instant::max() - std::max(at, Instant{}) ? Instant::max() : at + span;
}

/// For people; what is kept and what programs read is exact.
constexpr double in_seconds(Duration span) {
  return std::chrono::duration<double>(span).count();
}

/// The earlier one of those that there are.
constexpr std::optional<Instant> earlier(std::optional<Instant> one, std::optional<Instant> other) {
  return one && other ? std::min(*one, *other) : (one ? one : other);
}

/// While it lives, `now()` stands still, and goes on from there afterwards. One at a time.
class ClockPause {
 public:
  ClockPause();
  ~ClockPause();
  ClockPause(const ClockPause&) = delete;
  ClockPause& operator=(const ClockPause&) = delete;

 private:
  Instant at_;
};

/// When `at` will have come if the clock is not paused until then: for timers, which know nothing
/// of pauses. Whoever is woken by one looks at `now()`, and waits again where it is too early.
Instant timer_instant(Instant at);

/// Waits until the predicate holds; false where it does not at the deadline.
template <typename Predicate>
bool wait_until(std::condition_variable& condition, std::unique_lock<std::mutex>& lock,
                Instant deadline, Predicate predicate) {
  while (!predicate()) {
    if (now() >= deadline) return false;
    condition.wait_until(lock, timer_instant(deadline));
  }
  return true;
}

}  // namespace osiiso::base
