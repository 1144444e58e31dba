// SPDX-License-Identifier: MIT
#include "process/start_patience.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <deque>
#include <mutex>

#include "base/poll.hpp"

namespace osiiso::process {
namespace {

using namespace std::chrono_literals;

constexpr Duration kFirstPause = 10ms;
constexpr Duration kLongestPause = 250ms;
constexpr Duration kPatience = 10s;
std::atomic<int> under_way = 0;
std::atomic<base::Instant> last_end{};

/// Starts that wait, the one that has waited longest first.
class Line {
 public:
  int length() const { return length_; }
  /// Whether the start has nobody before it.
  bool lets(const StartPatience& start) {
    if (length_ == 0) return true;
    const std::lock_guard lock(mutex_);
    return waiting_.empty() || waiting_.front().start == &start;
  }
  void enter(const StartPatience& start) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({&start});
    length_ = static_cast<int>(waiting_.size());
  }
  void leave(const StartPatience& start) {
    const std::lock_guard lock(mutex_);
    waiting_.erase(std::ranges::find(waiting_, &start, &Waiting::start));
    length_ = static_cast<int>(waiting_.size());
    wake_first();
  }
  /// Whom to wake when there may be room for the start; null: it looks itself.
  void set_waker(const StartPatience& start, base::Waker* waker) {
    const std::lock_guard lock(mutex_);
    std::ranges::find(waiting_, &start, &Waiting::start)->waker = waker;
  }
  void note_room() {
    if (length_ == 0) return;
    const std::lock_guard lock(mutex_);
    wake_first();
  }

 private:
  struct Waiting {
    const StartPatience* start;
    base::Waker* waker = nullptr;
  };

  void wake_first() {
    if (!waiting_.empty() && waiting_.front().waker != nullptr) waiting_.front().waker->wake();
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
  note_room();
}

StartPatience::~StartPatience() {
  if (is_in_line_) line().leave(*this);
}

std::optional<base::Instant> StartPatience::next_try(const SystemError& failed, base::Instant now) {
  if (!is_shortage(failed)) return {};
  stand_in_line();
  if (!first_failure_) first_failure_ = now;
  // What may come back by the end of another lets us wait for that, however long it takes.
  const bool is_alone = under_way == 0;
  if (is_alone && now - std::max(*first_failure_, last_end.load()) >= kPatience) return {};
  return after_pause(now);
}

std::optional<base::Instant> StartPatience::give_way(base::Instant now) {
  if (line().lets(*this)) return {};
  stand_in_line();
  return after_pause(now);
}

bool StartPatience::sleep(base::StopState& stop, base::Instant until) {
  base::StopBell bell(stop);
  if (is_in_line_) line().set_waker(*this, &bell);
  bell.wait(until);
  if (is_in_line_) line().set_waker(*this, nullptr);
  return stop.latest().has_value();
}

bool StartPatience::sleep(base::StopSource& stops, base::Instant until) {
  return base::wait_for_stop(stops, until);
}

void StartPatience::stand_in_line() {
  if (is_in_line_) return;
  is_in_line_ = true;
  pause_ = kFirstPause;
  line().enter(*this);
}

base::Instant StartPatience::after_pause(base::Instant now) {
  const auto next = base::saturating_add(now, pause_);
  pause_ = std::min(2 * pause_, kLongestPause);
  return next;
}

void note_room() {
  line().note_room();
}

int waiting_starts() {
  return line().length();
}

CommandError stopped_before_start() {
  return {"stopped before it was started", Cause::signal, {}};
}

CommandError not_started(const SystemError& why) {
  return {why.what(), Cause::spawn, {}};
}

}  // namespace osiiso::process
