// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "osiiso/duration.hpp"

namespace osiiso::base {

/// A moment on the monotonic clock. Only `run_at` ever comes from the wall clock.
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;

inline Instant now() {
  return std::chrono::steady_clock::now();
}

/// `at + span`, held at the last instant instead of overflowing. `span` is not negative.
constexpr Instant saturating_add(Instant at, Duration span) {
  return span > Instant::max() - std::max(at, Instant{}) ? Instant::max() : at + span;
}

/// The earlier one of those that there are.
constexpr std::optional<Instant> earlier(std::optional<Instant> one, std::optional<Instant> other) {
  return one && other ? std::min(*one, *other) : (one ? one : other);
}

}  // namespace osiiso::base
