// SPDX-License-Identifier: MIT
#include "process/start_patience.hpp"

#include <sys/resource.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <optional>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "base/descriptor.hpp"
#include "base/stop_state.hpp"
#include "process/running.hpp"
#include "support/process_guard.hpp"

using namespace osiiso;
using namespace osiiso::process;
using namespace osiiso::test;
using namespace std::chrono_literals;

namespace {

const SystemError kNoRoom("cannot make a pipe", EMFILE);

/// How long a start is tried from now on, and the pauses in between.
struct Tries {
  explicit Tries(StartPatience& patience, base::Instant begin = base::now()) {
    base::Instant now = begin;
    while (const auto next = patience.next_try(kNoRoom, now)) {
      pauses.push_back(*next - now);
      now = *next;
    }
    all = now - begin;
  }
  std::vector<Duration> pauses;
  Duration all{};
};

/// While it lives, no further descriptor can be opened.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{static_cast<rlim_t>(base::make_eventfd().get()), before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

void until_a_start_waits() {
  while (waiting_starts() == 0) std::this_thread::sleep_for(1ms);
}

}  // namespace

TEST_CASE("a start is tried again for ten seconds, the more seldom the longer it takes") {
  StartPatience patience;
  const Tries tries(patience);
  CHECK(tries.pauses.front() == 10ms);
  CHECK(tries.pauses.at(1) == 20ms);
  CHECK(tries.pauses.back() == 250ms);
  CHECK(tries.all >= 10s);
  CHECK(tries.all <= 10s + 250ms);
}

TEST_CASE("a start waits for whatever is under way, and ten seconds from its end") {
  StartPatience patience;
  std::optional<UnderWay> other(std::in_place);
  const auto begin = base::now();
  CHECK(patience.next_try(kNoRoom, begin));
  CHECK(patience.next_try(kNoRoom, begin + 1h));
  other.reset();
  CHECK(patience.next_try(kNoRoom, begin + 9s));
  CHECK_FALSE(patience.next_try(kNoRoom, base::now() + 10s));
}

namespace {

/// A start that failed, and sleeps as one does that waits for room.
class Sleeper {
 public:
  explicit Sleeper(int failures = 1) {
    for (int i = 0; i < failures; ++i) patience_->next_try(kNoRoom, base::now());
    thread_ = std::thread([this] { patience_->sleep(stop_, base::now() + 1h); });
  }
  ~Sleeper() { join(); }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  StartPatience& patience() { return *patience_; }
  /// It has its room, or is asked to stop, and is gone.
  void join() {
    if (!thread_.joinable()) return;
    stop_.request({});
    thread_.join();
    patience_.reset();
  }

 private:
  std::optional<StartPatience> patience_{std::in_place};
  base::StopState stop_;
  std::thread thread_;
};

void until_starts_wait(int count) {
  while (waiting_starts() < count) std::this_thread::sleep_for(1ms);
}

}  // namespace

TEST_CASE("a start that sleeps for lack of room is let go first, whoever else comes") {
  const auto now = base::now();
  StartPatience other;
  CHECK_FALSE(other.give_way(now));

  Sleeper first;
  until_starts_wait(1);
  Sleeper second;
  until_starts_wait(2);
  CHECK(other.give_way(now));
  CHECK(second.patience().give_way(now));
  CHECK_FALSE(first.patience().give_way(now));

  first.join();
  CHECK_FALSE(second.patience().give_way(now));
  CHECK(other.give_way(now));
  second.join();
  CHECK_FALSE(other.give_way(now));
}

TEST_CASE("a start that fails again and again, whatever is given back, holds up no other") {
  const Sleeper failing(21);
  until_starts_wait(1);
  StartPatience other;
  CHECK_FALSE(other.give_way(base::now()));
}

TEST_CASE("who has given way for ten seconds gives up with the first failure") {
  const auto begin = base::now();
  StartPatience behind;
  {
    const Sleeper first;
    until_starts_wait(1);
    CHECK(behind.give_way(begin));
  }
  CHECK_FALSE(behind.next_try(kNoRoom, begin + 10s));
}

TEST_CASE("the first of those who wait is woken when there may be room") {
  StartPatience first;
  CHECK(first.next_try(kNoRoom, base::now()));
  base::StopState stop;
  const auto end = base::now() + 60s;
  std::thread sleeper([&] { CHECK_FALSE(first.sleep(stop, end)); });
  std::atomic<bool> is_over = false;
  std::thread others([&] {
    while (!is_over) note_room();
  });
  sleeper.join();
  CHECK(base::now() < end);
  is_over = true;
  others.join();
}

TEST_CASE("what is no shortage is not waited for") {
  StartPatience patience;
  CHECK_FALSE(patience.next_try(SystemError("cannot run 'foo'", ENOENT), base::now()));
  CHECK(waiting_starts() == 0);
  for (const int shortage : {EMFILE, ENFILE, EAGAIN, ENOMEM}) {
    CHECK(StartPatience().next_try(SystemError("cannot run 'foo'", shortage), base::now()));
  }
  CHECK(waiting_starts() == 0);
}

TEST_CASE("a command starts when there are descriptors again") {
  const ProcessGuard guard;
  std::optional<NoDescriptors> none(std::in_place);
  Running running(Command::argv({"echo", "started"}));
  until_a_start_waits();
  none.reset();
  const Ended ended = running.end();
  CHECK_FALSE(ended.cause);
  CHECK(ended.output.stdout_text == "started\n");
}

TEST_CASE("a start that waits can be stopped") {
  const ProcessGuard guard;
  const NoDescriptors none;
  Running running(Command::argv({"true"}));
  until_a_start_waits();
  running.stop({});
  const Ended ended = running.end();
  CHECK(ended.cause == Cause::signal);
  CHECK(ended.message == "stopped before it was started");
}
