// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "scheduler/driver.hpp"

using namespace osiiso;
using namespace osiiso::scheduler;
using namespace osiiso::scheduler::testing;

TEST_CASE("ORD-1: ready tasks start by priority, then in order of submission") {
  Driver driver({.workers = 9});
  driver.submit("a");
  driver.submit("b", {.rules = {.priority = 1}});
  driver.submit("c");
  driver.submit("d", {.rules = {.priority = -7}});
  driver.submit("e", {.rules = {.priority = 1}});
  CHECK(driver.core.ready() == 5);
  CHECK(driver.start_all() == "d1 b1 e1 a1 c1");
  CHECK(driver.next() == "idle");
  CHECK(driver.happened() == "");
}

TEST_CASE("ORD-1: submission order is the order of add, not of accept") {
  Driver driver({.workers = 9});
  const TaskIndex a = driver.add("a");
  const TaskIndex b = driver.add("b");
  driver.accept({b, a});
  CHECK(driver.start_all() == "a1 b1");
}

TEST_CASE("ORD-1: what comes later does not preempt what runs") {
  Driver driver;
  const TaskIndex a = driver.submit("a");
  CHECK(driver.next() == "a1");
  driver.submit("b", {.rules = {.priority = 0}});
  CHECK(driver.next() == "idle");
  CHECK(driver.core.running() == 1);
  CHECK(driver.succeed(a) == "succeeded");
  CHECK(driver.next() == "b1");
  CHECK(driver.happened() == "a succeeded");
}

TEST_CASE("no more attempts run than there are workers, nor is one stopped for want of them") {
  Driver driver({.workers = 2});
  const TaskIndex a = driver.submit("a");
  const TaskIndex b = driver.submit("b");
  driver.submit("c");
  CHECK(driver.start_all() == "a1 b1");
  driver.core.set_workers(1);
  driver.succeed(a);
  CHECK(driver.next() == "idle");
  driver.succeed(b);
  CHECK(driver.next() == "c1");
  driver.core.set_workers(2);
  CHECK(driver.next() == "idle");
  CHECK(driver.happened() == "a succeeded; b succeeded");
}

TEST_CASE("SCH-1: a delay counts from acceptance and holds no worker") {
  Driver driver;
  driver.pass(1s);
  const TaskIndex a = driver.add("a", {.delay = 5s});
  driver.pass(1s);
  driver.accept({a});
  driver.submit("b", {.rules = {.priority = 9}});
  CHECK(driver.core.state(a) == State::scheduled);
  CHECK(driver.core.unfinished() == 2);
  CHECK(driver.due() == "7");
  CHECK(driver.next() == "b1");
  driver.pass(4999ms);
  CHECK(driver.core.state(a) == State::scheduled);
  driver.pass(1ms);
  CHECK(driver.core.state(a) == State::ready);
  CHECK(driver.due() == "never");
  CHECK(driver.happened() == "");
}

TEST_CASE("SCH-1: a scheduled task competes by priority from the instant it is due") {
  Driver driver;
  driver.submit("a", {.rules = {.priority = 1}, .delay = 2s});
  driver.submit("b", {.delay = 2s});
  CHECK(driver.next() == "wait 2");
  driver.now += 2s;
  driver.submit("c", {.rules = {.priority = 2}});
  CHECK(driver.next() == "a1");
}

TEST_CASE("SCH-1: a delay of zero is none, an endless one does not overflow") {
  Driver driver;
  driver.now += 100s;
  driver.submit("a", {.delay = Duration::max()});
  driver.submit("b", {.delay = 0s});
  CHECK(driver.next() == "b1");
  CHECK(driver.core.next_due() == Instant::max());
}

TEST_CASE("an empty core is idle and waits for nothing") {
  Driver driver;
  CHECK(driver.next() == "idle");
  CHECK(driver.due() == "never");
  CHECK(driver.core.unfinished() == 0);
}

TEST_CASE("the index of a released task is used again, in a new place of the order") {
  Driver driver({.workers = 2});
  const TaskIndex a = driver.submit("a");
  driver.submit("b");
  CHECK(driver.next() == "a1");
  driver.succeed(a);
  driver.core.release(a);
  const TaskIndex c = driver.submit("c");
  CHECK(c == a);
  CHECK(driver.core.attempts(c) == 0);
  CHECK(driver.start_all() == "b1 c1");
}
