// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "base/clock.hpp"

namespace osiiso::scheduler {

/// Spaces the starts of attempts: after idling `burst` of them may start at once, then one for each
/// interval of 1/rate. The generic cell rate algorithm: one instant is all its memory.
class RateGate {
 public:
  /// No rate: always open. `rate` > 0, `burst` >= 1.
  RateGate(std::optional<double> rate, int burst);

  /// The first instant at which an attempt may start.
  base::Instant opens_at() const;
  bool is_open(base::Instant now) const { return opens_at() <= now; }
  /// Counts an attempt that starts now; the gate is open.
  void take(base::Instant now);

 private:
  Duration interval_{0};
  Duration tolerance_{0};
  /// When the attempts so far would have started, evenly spaced, plus one interval.
  base::Instant next_even_ = base::Instant::min();
};

}  // namespace osiiso::scheduler
