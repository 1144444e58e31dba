// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "scheduler/driver.hpp"

using namespace osiiso;
using namespace osiiso::scheduler;
using namespace osiiso::scheduler::testing;

TEST_CASE("no more attempts of a group run than it has seats; others pass it by") {
  Driver driver({.workers = 9});
  const GroupIndex group = driver.core.add_group(2);
  const TaskIndex a = driver.submit("a", {.group = group});
  driver.submit("b", {.group = group});
  driver.submit("c", {.group = group});
  driver.submit("d", {.rules = {.priority = 9}});
  CHECK(driver.start_all() == "a1 b1 d1");
  CHECK(driver.core.ready() == 1);
  CHECK(driver.next() == "idle");
  driver.succeed(a);
  CHECK(driver.start_all() == "c1");
}

TEST_CASE("ORD-1: a freed seat goes to the best task of the group, parked or not") {
  Driver driver({.workers = 9});
  const GroupIndex group = driver.core.add_group(1);
  const TaskIndex a = driver.submit("a", {.group = group});
  driver.submit("b", {.group = group});
  driver.submit("c", {.rules = {.priority = 1}, .group = group});
  CHECK(driver.start_all() == "c1");
  driver.submit("d", {.rules = {.priority = 0}, .group = group});
  driver.succeed(TaskIndex{2});
  driver.submit("e", {.rules = {.priority = -1}, .group = group});
  CHECK(driver.start_all() == "e1");
  driver.succeed(TaskIndex{4});
  CHECK(driver.start_all() == "d1");
  driver.succeed(TaskIndex{3});
  CHECK(driver.start_all() == "a1");
  driver.succeed(a);
  CHECK(driver.start_all() == "b1");
}

TEST_CASE("when the first of a group is cancelled the next takes its place") {
  Driver driver({.workers = 9, .rate = 1});
  driver.submit("x", {.rules = {.priority = 0}});
  const GroupIndex group = driver.core.add_group(1);
  const TaskIndex a = driver.submit("a", {.group = group});
  const TaskIndex b = driver.submit("b", {.group = group});
  driver.submit("c", {.group = group});
  driver.submit("d", {.rules = {.priority = 4}});
  CHECK(driver.start_all() == "x1");
  driver.cancel(b);
  driver.cancel(a);
  driver.pass(1s);
  CHECK(driver.start_all() == "c1");
  driver.pass(1s);
  CHECK(driver.start_all() == "d1");
}

TEST_CASE("a retry that waits holds no seat, one that is stopping does") {
  Driver driver({.workers = 9});
  const GroupIndex group = driver.core.add_group(1);
  const TaskIndex a = driver.submit(
      "a", {.rules = {.retries = 1, .retry_delay = 1s, .abandon_after = 5s}, .group = group});
  const TaskIndex b = driver.submit("b", {.group = group});
  CHECK(driver.start_all() == "a1");
  driver.fail(a);
  CHECK(driver.start_all() == "b1");
  driver.pass(1s);
  CHECK(driver.start_all() == "");
  driver.succeed(b);
  CHECK(driver.start_all() == "a2");
  driver.cancel(a);
  driver.submit("c", {.group = group});
  CHECK(driver.start_all() == "");
  driver.pass(5s);
  CHECK(driver.start_all() == "c1");
}

TEST_CASE("a group that is over can be released, and its index is used again") {
  Driver driver;
  const GroupIndex group = driver.core.add_group(3);
  const TaskIndex a = driver.submit("a", {.group = group});
  driver.seal(group);
  driver.cancel(a);
  driver.core.release(a);
  driver.core.release(group);
  CHECK(driver.core.add_group() == group);
  driver.submit("b", {.group = group});
  driver.submit("c", {.needs = {group}});
  CHECK(driver.next() == "b1");
  CHECK(driver.next() == "idle");
}

TEST_CASE("SIZ-1: at most `size` tasks are admitted; the others wait in order of submission") {
  Driver driver({.workers = 9, .size = 2});
  const TaskIndex a = driver.submit("a", {.rules = {.retries = 1, .retry_delay = 1s}});
  driver.submit("b", {.delay = 1h});
  const TaskIndex c = driver.submit("c", {.rules = {.priority = 9}});
  const TaskIndex d = driver.submit("d", {.rules = {.priority = 0}});
  CHECK(driver.core.unfinished() == 4);
  CHECK(driver.core.state(c) == State::waiting);
  CHECK(driver.start_all() == "a1");
  driver.fail(a);
  CHECK(driver.start_all() == "");
  CHECK(driver.cancel(a));
  CHECK(driver.start_all() == "c1");
  driver.cancel(d);
  driver.succeed(c);
  CHECK(driver.next() == "wait 3600");
  CHECK(driver.core.ready() == 0);
}

TEST_CASE("SIZ-1: who waits for needs takes no room, so that forward needs cannot deadlock") {
  Driver driver({.workers = 9, .size = 1});
  const TaskIndex a = driver.add("a");
  const TaskIndex b = driver.add("b");
  const TaskIndex c = driver.add("c");
  driver.core.need(a, b);
  driver.core.need(b, c);
  driver.accept({a, b, c});
  CHECK(driver.start_all() == "c1");
  driver.succeed(c);
  CHECK(driver.start_all() == "b1");
  driver.succeed(b);
  CHECK(driver.start_all() == "a1");
}

TEST_CASE("SIZ-1: a delay runs while a task waits for room") {
  Driver driver({.size = 1});
  const TaskIndex a = driver.submit("a");
  const TaskIndex b = driver.submit("b", {.delay = 5s});
  driver.next();
  driver.pass(2s);
  driver.succeed(a);
  CHECK(driver.core.state(b) == State::scheduled);
  CHECK(driver.due() == "5");
}

TEST_CASE("SIZ-1: must_complete and finally tasks stand in the same line") {
  Driver driver({.workers = 9, .size = 1});
  const TaskIndex a = driver.submit("a");
  const TaskIndex b = driver.submit("b");
  const TaskIndex c = driver.submit("c", {.rules = {.must_complete = true}});
  driver.submit("d", {.finally = Scope::run});
  CHECK(driver.start_all() == "a1");
  driver.succeed(a);
  CHECK(driver.start_all() == "b1");
  driver.succeed(b);
  CHECK(driver.start_all() == "c1");
  driver.succeed(c);
  CHECK(driver.start_all() == "d1");
}

TEST_CASE("who is ready without a seat is not startable") {
  Driver driver({.workers = 9});
  const GroupIndex group = driver.core.add_group(1);
  const TaskIndex a = driver.submit("a", {.group = group});
  driver.submit("b", {.group = group});
  CHECK(driver.core.startable());
  CHECK(driver.start_all() == "a1");
  CHECK(driver.core.ready() == 1);
  CHECK_FALSE(driver.core.startable());
  driver.succeed(a);
  CHECK(driver.core.startable());
}
