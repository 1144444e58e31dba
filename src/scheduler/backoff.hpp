// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "scheduler/types.hpp"

namespace osiiso::scheduler {

/// A small generator (splitmix64) whose numbers are the same everywhere for the same seed, which
/// the distributions of <random> do not promise.
class JitterSource {
 public:
  explicit JitterSource(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  /// Uniform in [-1, 1], both ends included.
  double next_unit();

 private:
  std::uint64_t state_;
};

/// The wait before retry `retry` (from 1): retry_delay x backoff^(retry-1), spread by the jitter,
/// at most max_delay. Held at the longest Duration instead of overflowing. Draws from `source`
/// only where there is something to spread.
Duration retry_wait(const TaskRules& rules, int retry, JitterSource& source);

}  // namespace osiiso::scheduler
