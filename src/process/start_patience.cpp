// SPDX-License-Identifier: MIT
#include "process/start_patience.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>

namespace osiiso::process {
namespace {

using namespace std::chrono_literals;

constexpr Duration kFirstPause = 10ms;
constexpr Duration kLongestPause = 250ms;
constexpr Duration kPatience = 10s;

std::atomic<int> under_way = 0;
std::atomic<base::Instant> last_end{};
std::atomic<int> waiting = 0;

}  // namespace

bool is_shortage(const SystemError& failed) {
  switch (failed.code()) {
    case EMFILE:
    case ENFILE:
    case EAGAIN:
    case ENOMEM:
      return true;
    default:
      return false;
  }
}

UnderWay::UnderWay() {
  ++under_way;
}

UnderWay::~UnderWay() {
  last_end = base::now();
  --under_way;
}

StartPatience::~StartPatience() {
  if (first_failure_) --waiting;
}

std::optional<base::Instant> StartPatience::next_try(const SystemError& failed, base::Instant now) {
  if (!is_shortage(failed)) return {};
  if (!first_failure_) {
    ++waiting;
    first_failure_ = now;
    pause_ = kFirstPause;
  }
  // What may come back by the end of another lets us wait for that, however long it takes.
  const bool is_alone = under_way == 0;
  if (is_alone && now - std::max(*first_failure_, last_end.load()) >= kPatience) return {};
  const auto next = base::saturating_add(now, pause_);
  pause_ = std::min(2 * pause_, kLongestPause);
  return next;
}

int waiting_starts() {
  return waiting;
}

CommandError stopped_before_start() {
  return {"stopped before it was started", Cause::signal, {}};
}

CommandError not_started(const SystemError& why) {
  return {why.what(), Cause::spawn, {}};
}

}  // namespace osiiso::process
