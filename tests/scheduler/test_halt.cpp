// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "scheduler/driver.hpp"

using namespace osiiso;
using namespace osiiso::scheduler;
using namespace osiiso::scheduler::testing;

namespace {

const TaskRules kMust{.must_complete = true};

/// One task of each kind in each state that a halt may find.
struct Crowd {
  explicit Crowd(QueueRules rules = {}) : driver(with_workers(rules)) {
    const TaskRules retried{.retries = 1, .retry_delay = 1h};
    const TaskRules must_retry{.must_complete = true, .retries = 1, .retry_delay = 1h};
    const TaskRules limited{.retries = 1, .timeout = 1s};
    const TaskRules must_limited{.must_complete = true, .retries = 1, .timeout = 1s};
    const auto run = driver.submit("run");
    const auto must_run = driver.submit("Run", {.rules = kMust});
    late = driver.submit("late", {.rules = limited});
    must_late = driver.submit("Late", {.rules = must_limited});
    const auto again = driver.submit("again", {.rules = retried});
    const auto must_again = driver.submit("Again", {.rules = must_retry});
    driver.submit("wait", {.needs = {run}});
    driver.submit("Wait", {.rules = kMust, .needs = {must_run}});
    driver.submit("delay", {.delay = 1h});
    driver.submit("Delay", {.rules = kMust, .delay = 1h});
    driver.start_all();
    driver.fail(again);
    driver.fail(must_again);
    driver.pass(1s);
    driver.submit("ready", {.rules = {.priority = 8}});
    driver.submit("Ready", {.rules = {.priority = 9, .must_complete = true}});
    driver.submit("last", {.finally = Scope::run});
    driver.happened();
  }
  static QueueRules with_workers(QueueRules rules) {
    rules.workers = 6;
    return rules;
  }

  Driver driver;
  TaskIndex late{};
  TaskIndex must_late{};
};

}  // namespace

TEST_CASE("ABO-1: a halt cancels scheduled, then queued, then running tasks") {
  Crowd crowd;
  Driver& driver = crowd.driver;
  driver.halt(Halt::spare_must_complete);
  CHECK(driver.happened() ==
        "halt, spare must_complete; again cancelled; delay never started; wait never started; "
        "ready never started; stop run1 cancel");
  CHECK(driver.core.halted() == Halt::spare_must_complete);
  CHECK_FALSE(driver.core.timed_out());
  CHECK(driver.start_all() == "Ready1");

  // The attempt that was stopping already fails, and only who is spared is tried again.
  driver.succeed(crowd.late);
  driver.succeed(crowd.must_late);
  CHECK(driver.happened() == "late failed; retry Late1 0");
}

TEST_CASE("ABO-3: a stronger halt follows a weaker one, not the other way round") {
  Crowd crowd;
  Driver& driver = crowd.driver;
  driver.halt(Halt::spare_must_complete);
  driver.happened();
  driver.halt(Halt::spare_must_complete);
  CHECK(driver.happened() == "");
  driver.halt(Halt::spare_finally);
  CHECK(driver.happened() ==
        "halt, spare finally; Again cancelled; Delay never started; Wait never started; "
        "Ready never started; stop Run1 cancel");
  driver.halt(Halt::spare_must_complete);
  CHECK(driver.happened() == "");
  CHECK(driver.core.halted() == Halt::spare_finally);
  driver.halt(Halt::spare_nothing);
  CHECK(driver.happened() ==
        "halt, spare nothing; last never started; stop run1 kill; stop Run1 kill; stop late1 kill; "
        "stop Late1 kill");
  driver.halt(Halt::spare_nothing);
  CHECK(driver.happened() == "");
}

TEST_CASE("ABO-3: a forced halt asks once where nobody has asked before") {
  Driver driver;
  driver.submit("a");
  driver.next();
  driver.halt(Halt::spare_nothing);
  CHECK(driver.happened() == "halt, spare nothing; stop a1 kill");
  driver.succeed(TaskIndex{0});
  CHECK(driver.happened() == "a cancelled");
}

TEST_CASE("ABO-1: what is submitted during a halt is cancelled at once, unless it is spared") {
  Driver driver({.workers = 9});
  driver.halt(Halt::spare_must_complete);
  CHECK_FALSE(driver.core.accepts({}));
  CHECK(driver.core.accepts(kMust));
  driver.submit("a");
  driver.submit("b", {.rules = kMust});
  driver.submit("c", {.finally = Scope::run});
  CHECK(driver.happened() == "halt, spare must_complete; a never started");
  CHECK(driver.start_all() == "b1");
  driver.halt(Halt::spare_finally);
  CHECK_FALSE(driver.core.accepts(kMust));
  driver.submit("d", {.rules = kMust});
  CHECK(driver.happened() == "halt, spare finally; stop b1 cancel; d never started");
}

TEST_CASE("RUN-5: the next run forgets the halt") {
  Driver driver;
  driver.begin_run(1s);
  driver.pass(1s);
  CHECK(driver.core.timed_out());
  driver.begin_run();
  CHECK(driver.core.accepts({}));
  CHECK(driver.core.halted() == Halt::none);
  CHECK_FALSE(driver.core.timed_out());
  driver.submit("a");
  driver.pass(1h);
  CHECK(driver.next() == "a1");
  CHECK(driver.happened() == "halt, spare must_complete, timed out");
}

TEST_CASE("ABO-2: fail_first trips on a final failure, and tells what it leads to in order") {
  Driver driver({.workers = 2, .fail_policy = FailPolicy::fail_first});
  const TaskIndex a = driver.submit("a", {.rules = {.retries = 1}});
  const TaskIndex b = driver.submit("b", {.rules = {.retries = 1}});
  driver.submit("c", {.needs = {a}});
  driver.submit("d");
  driver.submit("e", {.rules = kMust});
  driver.start_all();
  driver.fail(a);
  CHECK(driver.happened() == "retry a1 0");
  driver.next();
  driver.fail(a);
  CHECK(driver.happened() ==
        "a failed; halt, spare must_complete; c needs failed a; d never started; stop b1 cancel");
  CHECK(driver.fail(b) == "cancelled");
  CHECK(driver.start_all() == "e1");
  driver.fail(TaskIndex{4});
  CHECK(driver.happened() == "b cancelled; e failed");
}

TEST_CASE("ABO-2: any failed task trips fail_first: must_complete, finally, timed out, given up") {
  for (const TaskRules& rules :
       {TaskRules{.must_complete = true, .timeout = 1s}, TaskRules{.timeout = 1s},
        TaskRules{.timeout = 1s, .abandon_after = 0s}}) {
    Driver driver({.fail_policy = FailPolicy::fail_first});
    const TaskIndex a = driver.submit("a", {.rules = rules});
    driver.submit("b");
    driver.next();
    driver.pass(1s);
    driver.report(a, 1, {});
    CHECK(driver.core.halted() == Halt::spare_must_complete);
    CHECK(driver.happened().ends_with("a failed; halt, spare must_complete; b never started"));
  }
}

TEST_CASE("ABO-2: cancellations do not trip fail_first") {
  Driver driver({.fail_policy = FailPolicy::fail_first});
  const TaskIndex a = driver.submit("a", {.rules = {.timeout = 1s}});
  driver.submit("b");
  driver.submit("c", {.needs = {a}});
  driver.next();
  driver.pass(1s);
  driver.cancel(a);
  driver.fail(a);
  CHECK(driver.happened() == "stop a1 timeout; a cancelled; c needs cancelled a");
  CHECK(driver.core.halted() == Halt::none);
}

TEST_CASE("RET-2: while halted, only who is spared is tried again") {
  Driver driver({.workers = 2});
  const TaskIndex a =
      driver.submit("a", {.rules = {.must_complete = true, .retries = 2, .retry_delay = 1s}});
  driver.next();
  driver.halt(Halt::spare_must_complete);
  driver.fail(a);
  driver.pass(1s);
  CHECK(driver.next() == "a2");
  CHECK(driver.happened() == "halt, spare must_complete; retry a1 1");
}

TEST_CASE("NEE-1: a spared task whose need is swept away is cancelled for that") {
  Driver driver;
  const TaskIndex a = driver.submit("a");
  driver.submit("b", {.rules = kMust, .needs = {a}});
  driver.halt(Halt::spare_must_complete);
  CHECK(driver.happened() == "halt, spare must_complete; a never started; b needs cancelled a");
}

TEST_CASE("RUN-2: at the run's timeout it is halted by on_timeout") {
  for (const OnTimeout on_timeout : {OnTimeout::complete, OnTimeout::cancel}) {
    const bool complete = on_timeout == OnTimeout::complete;
    Driver driver({.on_timeout = on_timeout});
    driver.pass(10s);
    driver.begin_run(5s);
    driver.submit("a");
    driver.submit("b", {.rules = {.must_complete = true}});
    driver.submit("c", {.finally = Scope::run});
    CHECK(driver.next() == "a1");
    CHECK(driver.due() == "15");
    driver.pass(5s);
    CHECK(driver.core.timed_out());
    CHECK(driver.happened() ==
          (complete ? "halt, spare must_complete, timed out; stop a1 cancel"
                    : "halt, spare finally, timed out; b never started; stop a1 cancel"));
    CHECK(driver.due() == "never");
    driver.succeed(TaskIndex{0});
    CHECK(driver.next() == (complete ? "b1" : "c1"));
  }
}

TEST_CASE("RUN-2: a timeout is told even when the run was halted before") {
  Driver driver({.on_timeout = OnTimeout::complete});
  driver.begin_run(5s);
  driver.halt(Halt::spare_finally);
  CHECK_FALSE(driver.core.timed_out());
  driver.pass(5s);
  CHECK(driver.core.timed_out());
  CHECK(driver.happened() == "halt, spare finally; halt, spare finally, timed out");
}

TEST_CASE("what expires is taken in the order of time") {
  Driver driver({.workers = 2});
  driver.begin_run(3s);
  driver.submit("a", {.rules = {.timeout = 2s}});
  driver.submit("b", {.rules = {.timeout = 4s}});
  driver.submit("c", {.delay = 1s});
  driver.start_all();
  driver.pass(9s);
  CHECK(driver.happened() ==
        "stop a1 timeout; halt, spare must_complete, timed out; c never started; stop b1 cancel");
}

TEST_CASE("a clock that seems to go back is taken to stand still") {
  Driver driver;
  driver.pass(9s);
  driver.now -= 5s;
  driver.submit("a", {.delay = 1s});
  CHECK(driver.due() == "10");
}

TEST_CASE("RUN-2: a limit that is set later counts from then, and forgets no halt") {
  Driver driver;
  driver.halt(Halt::spare_must_complete);
  driver.pass(10s);
  driver.core.limit_run(driver.now, 5s);
  CHECK(driver.core.halted() == Halt::spare_must_complete);
  CHECK(driver.due() == "15");
  driver.pass(5s);
  CHECK(driver.core.timed_out());
  CHECK(driver.happened() == "halt, spare must_complete; halt, spare must_complete, timed out");
}
