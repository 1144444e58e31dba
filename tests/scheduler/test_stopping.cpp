// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "scheduler/driver.hpp"

using namespace osiiso;
using namespace osiiso::scheduler;
using namespace osiiso::scheduler::testing;

namespace {

TaskRules limited(Duration timeout, std::optional<Duration> abandon_after = {}, int retries = 0) {
  return {.retries = retries, .timeout = timeout, .abandon_after = abandon_after};
}

}  // namespace

TEST_CASE("CAN-1: a task that never started is cancelled at once") {
  Driver driver;
  const TaskIndex ready = driver.submit("ready");
  const TaskIndex scheduled = driver.submit("scheduled", {.delay = 9s});
  const TaskIndex waiting = driver.submit("waiting", {.needs = {ready}});
  CHECK(driver.cancel(waiting));
  CHECK(driver.cancel(scheduled));
  CHECK(driver.cancel(ready));
  CHECK(driver.happened() == "waiting never started; scheduled never started; ready never started");
  CHECK_FALSE(driver.cancel(ready));
  CHECK(driver.next() == "idle");
  CHECK(driver.core.unfinished() == 0);
  CHECK(driver.happened() == "");
}

TEST_CASE("CAN-1: a running task is asked to stop and ends cancelled, whatever it says") {
  for (const bool succeeds : {true, false}) {
    Driver driver;
    const TaskIndex a = driver.submit("a", {.rules = {.must_complete = true, .retries = 3}});
    CHECK(driver.next() == "a1");
    CHECK(driver.cancel(a));
    CHECK(driver.happened() == "stop a1 cancel");
    CHECK(driver.core.state(a) == State::stopping);
    CHECK(driver.core.running() == 1);
    CHECK(driver.cancel(a));
    CHECK(driver.happened() == "");
    CHECK(driver.report(a, 1, {.succeeded = succeeds}) == "cancelled");
    CHECK(driver.happened() == "a cancelled");
    CHECK_FALSE(driver.cancel(a));
  }
}

TEST_CASE("TMO-1: the timeout counts from when the attempt's worker is ready") {
  Driver driver({.workers = 2});
  const TaskIndex a = driver.submit("a", {.rules = limited(2s)});
  const TaskIndex unlimited = driver.submit("unlimited");
  CHECK(driver.start_all() == "a1 unlimited1");
  driver.count_timeout_from(a, 60s);
  CHECK(driver.due() == "62");
  driver.pass(5s);
  CHECK(driver.happened() == "");
  driver.count_timeout_from(a, 5s);
  driver.count_timeout_from(unlimited, 5s);
  CHECK(driver.due() == "7");
  driver.pass(2s);
  CHECK(driver.happened() == "stop a1 timeout");
  driver.count_timeout_from(a, 60s);
  CHECK(driver.due() == "never");
  CHECK(driver.report(a, 1, {.succeeded = true}) == "timed out");
}

TEST_CASE("CAN-1: between two attempts a task is cancelled at once") {
  for (const Duration delay : {Duration(1s), Duration(0s)}) {
    Driver driver;
    const TaskIndex a = driver.submit("a", {.rules = {.retries = 1, .retry_delay = delay}});
    driver.next();
    driver.fail(a);
    driver.happened();
    CHECK(driver.cancel(a));
    CHECK(driver.happened() == "a cancelled");
    CHECK(driver.due() == "never");
    CHECK(driver.core.attempts(a) == 1);
  }
}

TEST_CASE("CAN-1: the end that is heard first decides") {
  Driver driver;
  const TaskIndex a = driver.submit("a");
  driver.next();
  driver.succeed(a);
  CHECK_FALSE(driver.cancel(a));
  CHECK(driver.happened() == "a succeeded");
}

TEST_CASE("a task may be cancelled before it is accepted") {
  Driver driver;
  const TaskIndex a = driver.add("a");
  const TaskIndex b = driver.submit("b", {.needs = {a}});
  CHECK(driver.cancel(a));
  driver.accept({a});
  CHECK(driver.happened() == "a never started; b needs cancelled a");
  CHECK(driver.core.state(b) == State::cancelled);
  CHECK(driver.core.unfinished() == 0);
}

TEST_CASE("TMO-1: an attempt that passes its timeout is asked to stop, and has failed") {
  Driver driver;
  const TaskIndex a = driver.submit("a", {.rules = limited(5s)});
  driver.pass(100s);
  CHECK(driver.next() == "a1");
  CHECK(driver.due() == "105");
  driver.pass(4999ms);
  CHECK(driver.happened() == "");
  driver.pass(1ms);
  CHECK(driver.happened() == "stop a1 timeout");
  CHECK(driver.core.state(a) == State::stopping);
  CHECK(driver.core.running() == 1);
  CHECK(driver.due() == "never");
  CHECK(driver.succeed(a) == "timed out");
  CHECK(driver.happened() == "a failed");
}

TEST_CASE("TMO-1: an end that is heard before the timeout counts, even if it is late") {
  Driver driver;
  const TaskIndex a = driver.submit("a", {.rules = limited(5s)});
  driver.next();
  driver.now += 6s;
  CHECK(driver.succeed(a) == "succeeded");
  CHECK(driver.due() == "never");
}

TEST_CASE("TMO-2: the retry after a timeout starts when the attempt has ended") {
  Driver driver({.workers = 2});
  const TaskIndex a = driver.submit("a", {.rules = limited(1s, {}, 1)});
  driver.next();
  driver.pass(1s);
  CHECK(driver.next() == "idle");
  driver.pass(60s);
  CHECK(driver.fail(a) == "timed out");
  CHECK(driver.happened() == "stop a1 timeout; retry a1 0");
  CHECK(driver.next() == "a2");
  driver.pass(1s);
  CHECK(driver.fail(a) == "timed out");
  CHECK(driver.happened() == "stop a2 timeout; a failed");
}

TEST_CASE("RET-1: a timeout is retried only if the task's rules say so") {
  Driver driver;
  TaskRules rules = limited(1s, {}, 5);
  rules.retry_timeouts = false;
  const TaskIndex a = driver.submit("a", {.rules = rules});
  driver.next();
  driver.pass(1s);
  driver.fail(a);
  CHECK(driver.happened() == "stop a1 timeout; a failed");
}

TEST_CASE("a cancel during the stop after a timeout makes the task end cancelled") {
  Driver driver;
  const TaskIndex a = driver.submit("a", {.rules = limited(1s, {}, 5)});
  driver.next();
  driver.pass(1s);
  CHECK(driver.cancel(a));
  CHECK(driver.fail(a) == "cancelled");
  CHECK(driver.happened() == "stop a1 timeout; a cancelled");
}

TEST_CASE("a timeout cannot overtake a cancel") {
  Driver driver;
  const TaskIndex a = driver.submit("a", {.rules = limited(1s, 5s)});
  driver.next();
  driver.cancel(a);
  CHECK(driver.due() == "5");
  driver.pass(5s);
  CHECK(driver.happened() == "stop a1 cancel; abandon a1 cancelled; a cancelled");
}

TEST_CASE("TMO-2: a deaf attempt is given up; its worker is free and its report is dropped") {
  Driver driver;
  const TaskIndex a = driver.submit("a", {.rules = limited(1s, 2s, 1)});
  driver.next();
  driver.pass(1s);
  CHECK(driver.due() == "3");
  CHECK(driver.next() == "idle");
  driver.pass(2s);
  CHECK(driver.happened() == "stop a1 timeout; abandon a1 timed out; retry a1 0");
  CHECK(driver.core.running() == 0);
  CHECK(driver.next() == "a2");
  CHECK(driver.report(a, 1, {}) == "stale");
  CHECK(driver.core.state(a) == State::running);
  CHECK(driver.report(a, 1, {}) == "stale");
  CHECK(driver.succeed(a) == "succeeded");
  CHECK(driver.report(a, 2, {}) == "stale");
  CHECK(driver.happened() == "a succeeded");
}

TEST_CASE("TMO-2: an attempt may be given up in the instant in which it is asked") {
  Driver driver;
  driver.submit("a", {.rules = limited(1s, 0s)});
  driver.next();
  driver.pass(1s);
  CHECK(driver.happened() == "stop a1 timeout; abandon a1 timed out; a failed");
}

TEST_CASE("TMO-2: no more attempts are given up than there are workers") {
  Driver driver({.workers = 1});
  const TaskIndex a = driver.submit("a", {.rules = limited(1s, 1s)});
  const TaskIndex b = driver.submit("b", {.rules = limited(1s, 1s)});
  driver.submit("c");
  driver.next();
  driver.pass(1s);
  driver.pass(1s);
  CHECK(driver.happened() == "stop a1 timeout; abandon a1 timed out; a failed");
  CHECK(driver.next() == "b1");
  driver.pass(1s);
  driver.pass(1s);
  CHECK(driver.happened() == "stop b1 timeout");
  CHECK(driver.core.state(b) == State::stopping);
  driver.pass(60s);
  CHECK(driver.core.state(b) == State::stopping);
  CHECK(driver.next() == "idle");
  CHECK(driver.due() == "never");

  SUBCASE("the next one is given up when one reports") {
    CHECK(driver.report(a, 1, {}) == "stale");
    CHECK(driver.happened() == "abandon b1 timed out; b failed");
    CHECK(driver.next() == "c1");
    CHECK(driver.report(b, 1, {}) == "stale");
  }
  SUBCASE("it may also end by itself") {
    CHECK(driver.succeed(b) == "timed out");
    CHECK(driver.happened() == "b failed");
    CHECK(driver.next() == "c1");
  }
  SUBCASE("it may be cancelled") {
    CHECK(driver.cancel(b));
    driver.report(a, 1, {});
    CHECK(driver.happened() == "abandon b1 cancelled; b cancelled");
  }
  SUBCASE("more workers make room for it") {
    driver.core.set_workers(2);
    CHECK(driver.due() == "64");
    driver.pass(0s);
    CHECK(driver.happened() == "abandon b1 timed out; b failed");
  }
}

TEST_CASE("the index of a task is not used again while an attempt of it may still report") {
  Driver driver({.workers = 2});
  const TaskIndex a = driver.submit("a", {.rules = limited(1s, 0s, 1)});
  driver.next();
  driver.pass(1s);
  driver.next();
  driver.pass(1s);
  CHECK(driver.core.state(a) == State::failed);
  driver.core.release(a);
  const TaskIndex b = driver.submit("b");
  CHECK(b != a);
  CHECK(driver.report(a, 2, {}) == "stale");
  const TaskIndex c = driver.submit("c");
  CHECK(c != a);
  CHECK(driver.report(a, 1, {}) == "stale");
  CHECK(driver.submit("d") == a);
}
