// SPDX-License-Identifier: MIT
#include "process/start_patience.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <deque>
#include <mutex>
#include <utility>

#include "base/poll.hpp"

namespace osiiso::process {
namespace {

using namespace std::chrono_literals;

constexpr Duration kFirstPause = 10ms;
constexpr Duration kLongestPause = 250ms;
constexpr Duration kPatience = 10s;
// So often a start may fail and still be let go first: it is woken whenever something was given
// back, and what is enough for others may never be for it.
constexpr int kMostClaims = 20;

std::atomic<int> under_way = 0;
std::atomic<base::Instant> last_end{};

/// Starts that wait, the one that has waited longest first.
class Line {
 public:
  /// Whether nobody is before the start who is to go first.
  bool lets(const StartPatience& start, base::Instant now) {
    if (length_ == 0) return true;
    const std::lock_guard lock(mutex_);
    for (const auto& each : waiting_) {
      if (each.start == &start) return true;
      if (each.goes_first(now)) return false;
    }
    return true;
  }
  void enter(const StartPatience& start) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({.start = &start});
    length_ = static_cast<int>(waiting_.size());
  }
  void leave(const StartPatience& start) {
    const std::lock_guard lock(mutex_);
    waiting_.erase(place_of(start));
    length_ = static_cast<int>(waiting_.size());
    wake_some();
  }
  void begin_to_sleep(const StartPatience& start, base::Waker& waker, int failures) {
    const std::lock_guard lock(mutex_);
    auto& each = *place_of(start);
    each.waker = &waker;
    each.failures = failures;
  }
  void end_to_sleep(const StartPatience& start) {
    const std::lock_guard lock(mutex_);
    auto& each = *place_of(start);
    each.waker = nullptr;
    each.awake_since = base::now();
  }
  void note_room() {
    if (length_ == 0) return;
    const std::lock_guard lock(mutex_);
    wake_some();
  }
  int count_failed() {
    if (length_ == 0) return 0;
    const std::lock_guard lock(mutex_);
    return static_cast<int>(std::ranges::count_if(waiting_, &Waiting::has_failed));
  }

 private:
  struct Waiting {
    const StartPatience* start;
    base::Waker* waker = nullptr;  // null: it is awake, and tries
    base::Instant awake_since{};
    int failures = 0;

    bool has_failed() const { return failures > 0; }
    /// A try that takes long does so for another reason than room.
    bool goes_first(base::Instant now) const {
      return has_failed() && failures <= kMostClaims &&
             (waker != nullptr || now - awake_since < kLongestPause);
    }
  };

  std::deque<Waiting>::iterator place_of(const StartPatience& start) {
    return std::ranges::find(waiting_, &start, &Waiting::start);
  }

  /// Those that may go now: up to the first that others let go first.
  void wake_some() {
    const auto now = base::now();
    for (const auto& each : waiting_) {
      if (each.waker != nullptr) each.waker->wake();
      if (each.goes_first(now)) return;
    }
  }

  std::mutex mutex_;
  std::deque<Waiting> waiting_;  // guarded by it; at most as many as there are threads
  std::atomic<int> length_ = 0;
};

// Never destroyed: a thread may still wait while the program exits.
Line& line() {
  static Line* const only = new Line;
  return *only;
}

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
  if (is_in_line_) line().leave(*this);
}

std::optional<base::Instant> StartPatience::next_try(const SystemError& failed, base::Instant now) {
  if (!is_shortage(failed)) return {};
  ++failures_;
  if (!waiting_since_) waiting_since_ = now;
  // What may come back by the end of another lets us wait for that, however long it takes.
  const bool is_alone = under_way == 0;
  if (is_alone && now - std::max(*waiting_since_, last_end.load()) >= kPatience) return {};
  return after_pause(now);
}

std::optional<base::Instant> StartPatience::give_way(base::Instant now) {
  if (line().lets(*this, now)) return {};
  if (!waiting_since_) waiting_since_ = now;
  return after_pause(now);
}

bool StartPatience::sleep(base::StopState& stop, base::Instant until) {
  if (!std::exchange(is_in_line_, true)) line().enter(*this);
  base::StopBell bell(stop);
  line().begin_to_sleep(*this, bell, failures_);
  bell.wait(until);
  line().end_to_sleep(*this);
  return stop.latest().has_value();
}

bool StartPatience::sleep(base::StopSource& stops, base::Instant until) {
  return base::wait_for_stop(stops, until);
}

base::Instant StartPatience::after_pause(base::Instant now) {
  pause_ = pause_ == Duration{0} ? kFirstPause : std::min(2 * pause_, kLongestPause);
  return base::saturating_add(now, pause_);
}

void note_room() {
  line().note_room();
}

int waiting_starts() {
  return line().count_failed();
}

CommandError stopped_before_start() {
  return {"stopped before it was started", Cause::signal, {}};
}

CommandError not_started(const SystemError& why) {
  return {why.what(), Cause::spawn, {}};
}

}  // namespace osiiso::process
