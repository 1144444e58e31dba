// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "scheduler/driver.hpp"

using namespace osiiso;
using namespace osiiso::scheduler;
using namespace osiiso::scheduler::testing;

TEST_CASE("RAT-1: after idling a burst starts at once, then one for each interval") {
  Driver driver({.workers = 9, .rate = 2, .burst = 3});
  driver.pass(60s);
  for (const char* name : {"a", "b", "c", "d", "e"}) driver.submit(name);
  CHECK(driver.start_all() == "a1 b1 c1");
  CHECK(driver.next() == "wait 60.500");
  driver.pass(499ms);
  CHECK(driver.next() == "wait 60.500");
  driver.pass(1ms);
  CHECK(driver.start_all() == "d1");
  driver.pass(500ms);
  CHECK(driver.start_all() == "e1");
  CHECK(driver.next() == "idle");
}

TEST_CASE("RAT-1: unused tokens gather up to the burst and no further") {
  Driver driver({.workers = 99, .rate = 1, .burst = 2});
  for (int i = 0; i < 9; ++i) driver.submit("a");
  CHECK(driver.start_all() == "a1 a1");
  driver.pass(1s);
  CHECK(driver.start_all() == "a1");
  driver.pass(1500ms);
  CHECK(driver.start_all() == "a1");
  driver.pass(500ms);
  CHECK(driver.start_all() == "a1");
  driver.pass(1h);
  CHECK(driver.start_all() == "a1 a1");
}

TEST_CASE("RAT-1: retries pass the gate, too") {
  Driver driver({.rate = 1});
  const TaskIndex a = driver.submit("a", {.rules = {.retries = 1}});
  driver.next();
  driver.fail(a);
  CHECK(driver.next() == "wait 1");
}

TEST_CASE("RAT-1: a cancelled waiter takes no token; ORD-2: the first when the gate opens starts") {
  Driver driver({.workers = 3, .rate = 1});
  driver.submit("a");
  const TaskIndex b = driver.submit("b");
  driver.submit("c");
  CHECK(driver.start_all() == "a1");
  CHECK(driver.next() == "wait 1");
  driver.cancel(b);
  driver.submit("d", {.rules = {.priority = 1}});
  driver.pass(1s);
  CHECK(driver.start_all() == "d1");
  CHECK(driver.next() == "wait 2");
}

TEST_CASE("with every worker busy nothing waits for the gate") {
  Driver driver({.rate = 1});
  driver.submit("a");
  driver.submit("b");
  CHECK(driver.next() == "a1");
  CHECK(driver.next() == "idle");
}

TEST_CASE("a worker waits for the gate or for the next timer, whichever comes first") {
  Driver driver({.workers = 2, .rate = 0.1});
  driver.submit("a", {.rules = {.timeout = 4s}});
  driver.submit("b");
  CHECK(driver.next() == "a1");
  CHECK(driver.next() == "wait 4");
  driver.pass(4s);
  CHECK(driver.next() == "wait 10");
}

TEST_CASE("RateGate: odd rates are never exceeded, extreme ones do not overflow") {
  const Instant start{1h};
  RateGate third(3, 1);
  Instant now = start;
  for (int i = 0; i < 3; ++i) {
    third.take(now);
    now = third.opens_at();
  }
  CHECK(now - start >= 1s);
  CHECK(now - start < 1s + 10ns);

  RateGate slowest(1e-300, 2);
  slowest.take(start);
  CHECK(slowest.is_open(start));
  slowest.take(start);
  CHECK_FALSE(slowest.is_open(start + 24h * 365 * 20));

  RateGate fastest(1e300, 1);
  for (int i = 0; i < 9; ++i) fastest.take(start + Duration(i));
  CHECK(fastest.is_open(start + 9ns));

  RateGate wide(1, 2147483647);
  for (int i = 0; i < 1000; ++i) wide.take(start);
  CHECK(wide.is_open(start));

  RateGate none({}, 1);
  for (int i = 0; i < 9; ++i) none.take(start);
  CHECK(none.is_open(start));
}
