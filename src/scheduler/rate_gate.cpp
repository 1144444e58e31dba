// SPDX-License-Identifier: MIT
#include "scheduler/rate_gate.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace osiiso::scheduler {

RateGate::RateGate(std::optional<double> rate, int burst) {
  if (!rate) return;
  assert(*rate > 0 && burst >= 1);
  // Held so short that a burst of them still fits into an Instant (a century for a burst of one).
  const Duration longest = Duration::max() / 3 / burst;
  // Rounded up: never more than the rate.
  const double interval = std::ceil(1e9 / *rate);
  interval_ = interval < static_cast<double>(longest.count())
                  ? Duration(static_cast<Duration::rep>(interval))
                  : longest;
  tolerance_ = (burst - 1) * interval_;
}

base::Instant RateGate::opens_at() const {
  if (next_even_ < base::Instant::min() + tolerance_) return base::Instant::min();
  return next_even_ - tolerance_;
}

void RateGate::take(base::Instant now) {
  assert(is_open(now));
  next_even_ = base::saturating_add(std::max(now, next_even_), interval_);
}

}  // namespace osiiso::scheduler
