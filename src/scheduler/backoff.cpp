// SPDX-License-Identifier: MIT
#include "scheduler/backoff.hpp"

#include <algorithm>
#include <limits>

namespace osiiso::scheduler {
namespace {

constexpr double kLongest = 9223372036854774784.0;  // the last double below 2^63

/// By squaring, so that it is the same on every machine, and quick for any number of retries.
double power(double base, unsigned exponent) {
  double result = 1;
  for (; exponent != 0; exponent >>= 1) {
    if (exponent & 1) result *= base;
    base *= base;
  }
  return result;
}

Duration to_duration(double nanoseconds) {
  return nanoseconds >= kLongest ? Duration::max()
                                 : Duration(static_cast<Duration::rep>(nanoseconds));
}

}  // namespace

std::uint64_t JitterSource::next() {
  std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

double JitterSource::next_unit() {
  constexpr auto kSteps = static_cast<double>((std::uint64_t{1} << 53) - 1);
  return static_cast<double>(next() >> 11) / kSteps * 2 - 1;
}

Duration retry_wait(const TaskRules& rules, int retry, JitterSource& source) {
  if (rules.retry_delay == Duration::zero()) return Duration::zero();
  const double factor = power(rules.backoff, static_cast<unsigned>(retry - 1));
  Duration wait = rules.retry_delay;
  if (factor != 1 || rules.jitter > 0) {
    // An infinite factor is cut here, for infinity times a jitter of zero would be no number.
    double spread = std::min(static_cast<double>(wait.count()) * factor, kLongest);
    if (rules.jitter > 0) spread *= 1 + rules.jitter * source.next_unit();
    wait = to_duration(std::max(spread, 0.0));
  }
  return rules.max_delay ? std::min(wait, *rules.max_delay) : wait;
}

}  // namespace osiiso::scheduler
