// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "scheduler/driver.hpp"

using namespace osiiso;
using namespace osiiso::scheduler;
using namespace osiiso::scheduler::testing;

TEST_CASE("NEE-1: a task starts when all that it needs has succeeded") {
  Driver driver({.workers = 9});
  const TaskIndex a = driver.submit("a");
  const TaskIndex b = driver.submit("b");
  const TaskIndex c = driver.submit("c", {.rules = {.priority = 0}, .needs = {a, b, a}});
  CHECK(driver.start_all() == "a1 b1");
  driver.succeed(a);
  CHECK(driver.core.state(c) == State::waiting);
  CHECK(driver.next() == "idle");
  driver.succeed(b);
  CHECK(driver.next() == "c1");
  CHECK(driver.happened() == "a succeeded; b succeeded");
}

TEST_CASE("NEE-1: needs may point forward and backward within what is added together") {
  Driver driver({.workers = 9});
  const TaskIndex a = driver.add("a");
  const TaskIndex b = driver.add("b");
  driver.core.need(a, b);
  driver.accept({a, b});
  CHECK(driver.start_all() == "b1");
  driver.succeed(b);
  CHECK(driver.start_all() == "a1");
}

TEST_CASE("NEE-1: what needs a failed task is cancelled, and so on down the line") {
  Driver driver;
  const TaskIndex a = driver.submit("a");
  const TaskIndex b = driver.submit("b", {.needs = {a}});
  driver.submit("c", {.needs = {b}});
  driver.submit("d", {.needs = {a}});
  driver.next();
  driver.fail(a);
  CHECK(driver.happened() == "a failed; b needs failed a; d needs failed a; c needs cancelled b");
  CHECK(driver.core.unfinished() == 0);
}

TEST_CASE("NEE-1: the first need to end otherwise is the reason") {
  Driver driver({.workers = 2});
  const TaskIndex a = driver.submit("a");
  const TaskIndex b = driver.submit("b");
  driver.submit("c", {.needs = {a, b}});
  driver.start_all();
  driver.cancel(b);
  driver.fail(b);
  driver.fail(a);
  CHECK(driver.happened() == "stop b1 cancel; b cancelled; c needs cancelled b; a failed");
}

TEST_CASE("NEE-1: a need that has ended otherwise already cancels on acceptance") {
  Driver driver;
  const TaskIndex good = driver.submit("good");
  driver.next();
  driver.succeed(good);
  const TaskIndex bad = driver.submit("bad");
  driver.next();
  driver.fail(bad);
  const TaskIndex gone = driver.submit("gone");
  driver.cancel(gone);
  driver.happened();

  const TaskIndex a = driver.add("a", {.needs = {good, bad, gone}});
  const TaskIndex b = driver.submit("b", {.needs = {a}});
  CHECK(driver.happened() == "");
  driver.accept({a});
  CHECK(driver.happened() == "a needs failed bad; b needs cancelled a");
  driver.submit("c", {.needs = {gone}});
  CHECK(driver.happened() == "c needs cancelled gone");
  driver.submit("d", {.needs = {good}});
  CHECK(driver.next() == "d1");
  CHECK(driver.core.state(b) == State::cancelled);
}

TEST_CASE("NEE-1: a need that ends between need and accept cancels on acceptance") {
  Driver driver;
  const TaskIndex a = driver.submit("a");
  const TaskIndex b = driver.add("b", {.needs = {a}});
  driver.cancel(a);
  CHECK(driver.happened() == "a never started");
  driver.accept({b});
  CHECK(driver.happened() == "b needs cancelled a");
}

TEST_CASE("NEE-1: a task that waits for its needs may be cancelled, and they forget it") {
  Driver driver;
  const TaskIndex a = driver.submit("a");
  const TaskIndex b = driver.submit("b", {.needs = {a, a}});
  driver.cancel(b);
  CHECK(driver.happened() == "b never started");
  driver.core.release(b);
  const TaskIndex c = driver.submit("c");
  CHECK(c == b);
  driver.next();
  driver.fail(a);
  CHECK(driver.happened() == "a failed");
  CHECK(driver.core.state(c) == State::ready);
}

TEST_CASE("NEE-1: a group has succeeded when it is sealed and its members have") {
  Driver driver({.workers = 9});
  const GroupIndex group = driver.core.add_group();
  const TaskIndex a = driver.submit("a", {.group = group});
  const TaskIndex c = driver.submit("c", {.needs = {group}});
  driver.start_all();
  driver.succeed(a);
  CHECK(driver.next() == "idle");
  const TaskIndex b = driver.submit("b", {.group = group});
  driver.seal(group);
  CHECK(driver.start_all() == "b1");
  driver.succeed(b);
  CHECK(driver.core.state(c) == State::ready);
  CHECK(driver.start_all() == "c1");
  driver.submit("d", {.needs = {group}});
  CHECK(driver.next() == "d1");
}

TEST_CASE("NEE-1: sealing may be what a group was waiting for; an empty one has succeeded") {
  Driver driver;
  const GroupIndex group = driver.core.add_group();
  driver.submit("a", {.needs = {group}});
  CHECK(driver.next() == "idle");
  driver.seal(group);
  CHECK(driver.next() == "a1");
}

TEST_CASE("NEE-1: a group decides with its last member; failed outweighs cancelled") {
  Driver driver({.workers = 9});
  const GroupIndex mixed = driver.core.add_group();
  const GroupIndex stopped = driver.core.add_group();
  const TaskIndex a = driver.submit("a", {.group = mixed});
  const TaskIndex b = driver.submit("b", {.group = mixed});
  const TaskIndex c = driver.submit("c", {.group = stopped});
  driver.submit("d", {.needs = {mixed}});
  driver.submit("e", {.needs = {stopped}});
  driver.seal(mixed);
  driver.seal(stopped);
  driver.start_all();
  driver.fail(a);
  CHECK(driver.happened() == "a failed");
  driver.cancel(b);
  driver.succeed(b);
  CHECK(driver.happened() == "stop b1 cancel; b cancelled; d needs failed group 0");
  driver.cancel(c);
  driver.succeed(c);
  CHECK(driver.happened() == "stop c1 cancel; c cancelled; e needs cancelled group 1");
  driver.submit("f", {.needs = {stopped, mixed}});
  CHECK(driver.happened() == "f needs cancelled group 1");
}

TEST_CASE("NEE-1: a chain of needs may be very long") {
  constexpr int kLength = 100'000;
  QueueRules queue;
  TaskRules rules;
  Core core(queue);
  std::vector<TaskIndex> chain;
  for (int i = 0; i < kLength; ++i) {
    chain.push_back(core.add({.rules = &rules}));
    if (i > 0) core.need(chain[chain.size() - 1], chain[chain.size() - 2]);
    core.accept(chain.back(), Instant{});
  }
  core.next(Instant{});
  core.finished(chain[0], 1, {.succeeded = false}, Instant{});
  CHECK(core.unfinished() == 0);
  CHECK(core.take_effects().size() == kLength);
  core.check_invariants();
}

TEST_CASE("SCH-1: a delay runs while a task waits for its needs") {
  Driver driver({.workers = 9});
  const TaskIndex a = driver.submit("a");
  const TaskIndex early = driver.submit("early", {.delay = 5s, .needs = {a}});
  const TaskIndex late = driver.submit("late", {.delay = 9s, .needs = {a}});
  driver.next();
  driver.pass(5s);
  driver.succeed(a);
  CHECK(driver.core.state(early) == State::ready);
  CHECK(driver.core.state(late) == State::scheduled);
  CHECK(driver.due() == "9");
}

TEST_CASE("NEE-2: a group's finally task waits for the end of the others, however they went") {
  Driver driver({.workers = 9});
  const GroupIndex group = driver.core.add_group();
  const TaskIndex f = driver.submit("f", {.group = group, .finally = Scope::group});
  const TaskIndex a = driver.submit("a", {.group = group});
  const TaskIndex b = driver.submit("b", {.group = group});
  const TaskIndex c = driver.submit("c", {.group = group, .needs = {b}});
  driver.submit("d", {.needs = {group}});
  CHECK(driver.start_all() == "a1 b1");
  driver.succeed(a);
  driver.fail(b);
  CHECK(driver.happened() == "a succeeded; b failed; c needs failed b");
  CHECK(driver.core.state(c) == State::cancelled);
  CHECK(driver.core.state(f) == State::waiting);
  driver.seal(group);
  CHECK(driver.start_all() == "f1");
  CHECK(driver.happened() == "");
  driver.succeed(f);
  CHECK(driver.happened() == "f succeeded; d needs failed group 0");
}

TEST_CASE("NEE-2: a group's own finally tasks count among what the group needs to succeed") {
  Driver driver({.workers = 9});
  const GroupIndex group = driver.core.add_group();
  driver.submit("a", {.group = group});
  const TaskIndex f = driver.submit("f", {.group = group, .finally = Scope::group});
  driver.submit("d", {.needs = {group}});
  driver.seal(group);
  driver.next();
  driver.succeed(TaskIndex{0});
  driver.next();
  driver.fail(f);
  CHECK(driver.happened() == "a succeeded; f failed; d needs failed group 0");
}

TEST_CASE("NEE-2: group scope before run scope") {
  Driver driver({.workers = 9});
  const GroupIndex group = driver.core.add_group();
  const TaskIndex last = driver.submit("last", {.finally = Scope::run});
  const TaskIndex f = driver.submit("f", {.group = group, .finally = Scope::group});
  const TaskIndex a = driver.submit("a", {.group = group});
  driver.seal(group);
  CHECK(driver.start_all() == "a1");
  driver.succeed(a);
  CHECK(driver.start_all() == "f1");
  CHECK(driver.core.state(last) == State::waiting);
  driver.succeed(f);
  CHECK(driver.start_all() == "last1");
}

TEST_CASE("NEE-2: a finally task of the run that is submitted first still comes last") {
  Driver driver;
  const TaskIndex last = driver.submit("last", {.finally = Scope::run});
  CHECK(driver.core.state(last) == State::waiting);
  CHECK(driver.due() == "0");
  driver.submit("a");
  CHECK(driver.next() == "a1");
  driver.succeed(TaskIndex{1});
  CHECK(driver.core.state(last) == State::ready);
  CHECK(driver.next() == "last1");
}

TEST_CASE("NEE-2: alone, a finally task of the run is ready as soon as anybody asks") {
  Driver driver;
  const TaskIndex last = driver.submit("last", {.finally = Scope::run});
  driver.pass(0s);
  CHECK(driver.core.state(last) == State::ready);
  CHECK(driver.due() == "never");
}

TEST_CASE("NEE-2: several finally tasks of the run do not wait for each other") {
  Driver driver({.workers = 9});
  driver.submit("first", {.finally = Scope::run});
  driver.submit("second", {.finally = Scope::run});
  CHECK(driver.start_all() == "first1 second1");
}

TEST_CASE("NEE-2: an infinite run is over when it is closed or halted") {
  Driver driver({.mode = Mode::infinite});
  const TaskIndex last = driver.submit("last", {.finally = Scope::run});
  CHECK(driver.next() == "idle");
  CHECK(driver.due() == "never");
  SUBCASE("closed") {
    driver.close();
    CHECK(driver.next() == "last1");
    CHECK(driver.happened() == "");
  }
  SUBCASE("halted") {
    driver.halt(Halt::spare_finally);
    CHECK(driver.next() == "last1");
    CHECK(driver.happened() == "halt, spare finally");
  }
  SUBCASE("at its timeout") {
    driver.begin_run(5s);
    driver.pass(5s);
    CHECK(driver.next() == "last1");
  }
  SUBCASE("halted by force") {
    driver.halt(Halt::spare_nothing);
    CHECK(driver.happened() == "halt, spare nothing; last never started");
  }
  CHECK(is_final(driver.core.state(last)) == (driver.core.halted() == Halt::spare_nothing));
}

TEST_CASE("NEE-1: a finally task may need others; where they fail it is cancelled") {
  Driver driver;
  const TaskIndex a = driver.submit("a");
  driver.submit("last", {.finally = Scope::run, .needs = {a}});
  driver.next();
  driver.fail(a);
  CHECK(driver.happened() == "a failed; last needs failed a");
  CHECK(driver.core.unfinished() == 0);
}

TEST_CASE("CHK-3: a restored task has succeeded without an attempt, whatever it needs") {
  Driver driver({.workers = 9});
  const TaskIndex a = driver.add("a");
  const TaskIndex b = driver.add("b");
  const TaskIndex c = driver.add("c");
  driver.core.need(b, a);
  driver.core.need(c, b);
  driver.accept({a});
  driver.core.restore(b, driver.now);
  driver.core.check_invariants();
  CHECK(driver.happened() == "b succeeded");
  CHECK(driver.core.unfinished() == 1);
  driver.accept({c});
  CHECK(driver.start_all() == "a1 c1");
  CHECK(driver.core.attempts(b) == 0);
}

TEST_CASE("CHK-3: finally tasks run where everything before them was restored") {
  Driver driver({.workers = 9});
  const GroupIndex group = driver.core.add_group();
  const TaskIndex a = driver.add("a", {.group = group});
  const TaskIndex of_group = driver.add("g", {.group = group, .finally = Scope::group});
  const TaskIndex of_run = driver.add("r", {.finally = Scope::run});
  driver.core.seal(group);
  driver.core.restore(a, driver.now);
  driver.accept({of_group, of_run});
  driver.core.check_invariants();
  CHECK(driver.start_all() == "g1");
  driver.succeed(of_group);
  CHECK(driver.start_all() == "r1");
}
