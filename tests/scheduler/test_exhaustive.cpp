// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "scheduler/driver.hpp"

using namespace osiiso;
using namespace osiiso::scheduler;
using namespace osiiso::scheduler::testing;

// Small spaces, exhausted: every sequence of inputs up to a depth, for a few tasks in a few
// arrangements. The core cannot be copied, so each sequence is played from the start.
namespace {

struct Arrangement {
  const char* name;
  QueueRules queue;
  void (*build)(Driver&);
};

const TaskRules kLimited{.retries = 1, .retry_delay = 1s, .timeout = 2s, .abandon_after = 1s};
const TaskRules kMust{.must_complete = true, .retries = 1};

const Arrangement kArrangements[] = {
    {"needs",
     {.workers = 2, .fail_policy = FailPolicy::fail_first},
     [](Driver& driver) {
       const auto a = driver.submit("a", {.rules = kLimited});
       driver.submit("b", {.rules = kMust, .needs = {a}});
     }},
    {"seats, room and deaf attempts",
     {.workers = 1, .size = 1},
     [](Driver& driver) {
       const auto group = driver.core.add_group(1);
       driver.submit("a", {.rules = kLimited, .group = group});
       driver.submit("b", {.rules = kLimited, .group = group});
       driver.seal(group);
     }},
    {"finally and rate",
     {.workers = 2, .rate = 1, .mode = Mode::infinite},
     [](Driver& driver) {
       const auto group = driver.core.add_group();
       driver.submit("a", {.rules = kLimited, .group = group});
       driver.submit("f", {.rules = kLimited, .group = group, .finally = Scope::group});
       driver.submit("last", {.finally = Scope::run, .needs = {group}});
       driver.seal(group);
     }},
};

constexpr int kInputs = 11;
constexpr int kDepth = 4;

/// Invariants are checked by the driver after each input; here, what is seen from outside.
struct Play {
  explicit Play(const Arrangement& arrangement) : driver(arrangement.queue) {
    driver.begin_run(5s);
    arrangement.build(driver);
    tasks = driver.core.unfinished();
  }

  void input(int which) {
    const TaskIndex task{static_cast<std::uint32_t>(which % 2)};
    switch (which) {
      case 0:
      case 1:
        driver.succeed(task);
        break;
      case 2:
      case 3:
        driver.fail(task);
        break;
      case 4:
      case 5: {
        const bool was_final = is_final(driver.core.state(task));
        CHECK(driver.cancel(task) == !was_final);
        if (!was_final) must_be_cancelled[static_cast<std::size_t>(task)] = true;
        break;
      }
      case 6:
        driver.next();
        break;
      case 7:
        driver.pass(1s);
        break;
      case 8:
        driver.report(TaskIndex{0}, 1, {});
        break;
      case 9:
        driver.halt(Halt::spare_must_complete);
        break;
      case 10:
        driver.halt(Halt::spare_nothing);
        break;
    }
    note_effects();
  }

  /// Faults stop: everything that runs ends well, and the run is closed.
  void settle() {
    driver.close();
    for (int step = 0; step < 40 && driver.core.unfinished() > 0; ++step) {
      driver.next();
      for (std::uint32_t task = 0; task < tasks; ++task) driver.succeed(TaskIndex{task});
      driver.pass(1s);
      note_effects();
    }
    REQUIRE(driver.core.unfinished() == 0);
    for (std::uint32_t task = 0; task < tasks; ++task) {
      REQUIRE(finishes[task] == 1);
      REQUIRE(driver.core.attempts(TaskIndex{task}) <= 2);
      if (must_be_cancelled[task]) REQUIRE(driver.core.state(TaskIndex{task}) == State::cancelled);
    }
  }

  void note_effects() {
    for (const Effect& effect : driver.core.take_effects()) {
      if (const auto* finished = std::get_if<Finished>(&effect)) {
        ++finishes[static_cast<std::size_t>(finished->task)];
        REQUIRE(driver.core.state(finished->task) == finished->state);
      }
    }
  }

  Driver driver;
  std::size_t tasks = 0;
  int finishes[3] = {};
  bool must_be_cancelled[3] = {};
};

}  // namespace

TEST_CASE("whatever the first inputs after the start, invariants hold and all tasks end once") {
  for (const Arrangement& arrangement : kArrangements) {
    CAPTURE(arrangement.name);
    int total = 1;
    for (int depth = 0; depth < kDepth; ++depth) total *= kInputs;
    for (int sequence = 0; sequence < total; ++sequence) {
      CAPTURE(sequence);
      Play play(arrangement);
      play.driver.next();
      for (int rest = sequence, depth = 0; depth < kDepth; ++depth, rest /= kInputs) {
        play.input(rest % kInputs);
      }
      play.settle();
    }
  }
}
