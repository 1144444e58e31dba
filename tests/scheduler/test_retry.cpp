// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "scheduler/driver.hpp"

using namespace osiiso;
using namespace osiiso::scheduler;
using namespace osiiso::scheduler::testing;

TEST_CASE("RET-1: at most 1 + retries attempts, with growing waits") {
  Driver driver;
  const TaskIndex a =
      driver.submit("a", {.rules = {.retries = 3, .retry_delay = 1s, .backoff = 2}});
  CHECK(driver.next() == "a1");
  CHECK(driver.fail(a) == "failed");
  CHECK(driver.happened() == "retry a1 1");
  CHECK(driver.core.state(a) == State::scheduled);
  CHECK(driver.next() == "wait 1");
  driver.pass(1s);
  CHECK(driver.next() == "a2");
  driver.fail(a);
  driver.pass(2s);
  CHECK(driver.next() == "a3");
  driver.fail(a);
  driver.pass(4s);
  CHECK(driver.next() == "a4");
  driver.fail(a);
  CHECK(driver.happened() == "retry a2 2; retry a3 4; a failed");
  CHECK(driver.next() == "idle");
  CHECK(driver.core.attempts(a) == 4);
}

TEST_CASE("RET-1: a retry_delay of zero never waits, whatever backoff and jitter") {
  Driver driver;
  const TaskIndex a = driver.submit("a", {.rules = {.retries = 1, .backoff = 1e300, .jitter = 1}});
  driver.next();
  driver.fail(a);
  CHECK(driver.core.state(a) == State::ready);
  CHECK(driver.next() == "a2");
  CHECK(driver.happened() == "retry a1 0");
}

TEST_CASE("RET-1: what retry_on excludes is not retried") {
  Driver driver;
  const TaskIndex a = driver.submit("a", {.rules = {.retries = 3}});
  driver.next();
  driver.fail(a, false);
  CHECK(driver.happened() == "a failed");
}

TEST_CASE("RET-3: success after a retry is a success") {
  Driver driver;
  const TaskIndex a = driver.submit("a", {.rules = {.retries = 3}});
  driver.next();
  driver.fail(a);
  driver.next();
  driver.succeed(a);
  CHECK(driver.happened() == "retry a1 0; a succeeded");
}

TEST_CASE("ORD-2: a retry keeps its place, and holds no worker while it waits") {
  Driver driver;
  const TaskIndex a = driver.submit("a", {.rules = {.retries = 1, .retry_delay = 1s}});
  const TaskIndex b = driver.submit("b");
  driver.submit("c");
  driver.next();
  driver.fail(a);
  CHECK(driver.next() == "b1");
  driver.now += 1s;
  driver.succeed(b);
  CHECK(driver.next() == "a2");
}

TEST_CASE("RET-1: waits saturate instead of overflowing") {
  JitterSource source(1);
  TaskRules rules{.retry_delay = 1s, .backoff = 10};
  CHECK(retry_wait(rules, 1, source) == 1s);
  CHECK(retry_wait(rules, 4, source) == 1000s);
  CHECK(retry_wait(rules, 100, source) == Duration::max());
  CHECK(retry_wait(rules, 2147483647, source) == Duration::max());
  rules.max_delay = 30s;
  CHECK(retry_wait(rules, 2, source) == 10s);
  CHECK(retry_wait(rules, 100, source) == 30s);
  rules.jitter = 1;
  for (int i = 0; i < 1000; ++i) {
    const Duration wait = retry_wait(rules, 2147483647, source);
    CHECK((wait >= 0s && wait <= 30s));
  }
  rules = {.retry_delay = Duration::max(), .backoff = 1};
  CHECK(retry_wait(rules, 7, source) == Duration::max());
  rules.jitter = 1;
  CHECK(retry_wait(rules, 1, source) >= 0s);
  rules = {.retry_delay = 8s, .backoff = 0.5};
  CHECK(retry_wait(rules, 3, source) == 2s);
  CHECK(retry_wait(rules, 100000, source) == 0s);
}

TEST_CASE("RET-1: an endless wait does not overflow the clock") {
  Driver driver;
  driver.pass(1h);
  const TaskIndex a = driver.submit("a", {.rules = {.retries = 9, .retry_delay = Duration::max()}});
  driver.next();
  driver.fail(a);
  CHECK(driver.core.next_due() == Instant::max());
  CHECK(driver.cancel(a));
}

TEST_CASE("RET-1: jitter spreads waits evenly within its share, the same for the same seed") {
  const TaskRules rules{.retry_delay = 100s, .jitter = 0.25};
  JitterSource source(7);
  JitterSource same(7);
  JitterSource other(8);
  Duration least = Duration::max();
  Duration most{0};
  Duration sum{0};
  int differing = 0;
  for (int i = 0; i < 10'000; ++i) {
    const Duration wait = retry_wait(rules, 1, source);
    CHECK(wait == retry_wait(rules, 1, same));
    differing += wait != retry_wait(rules, 1, other);
    least = std::min(least, wait);
    most = std::max(most, wait);
    sum += wait;
  }
  CHECK((least >= 75s && least < 75100ms));
  CHECK((most <= 125s && most > 124900ms));
  CHECK((sum / 10'000 > 99s && sum / 10'000 < 101s));
  CHECK(differing > 9'990);
}

TEST_CASE("the generator is splitmix64, whose first numbers for seed 0 are known") {
  JitterSource source(0);
  CHECK(source.next() == 0xe220a8397b1dcdafULL);
  CHECK(source.next() == 0x6e789e6aa1b965f4ULL);
  CHECK(source.next() == 0x06c45d188009454fULL);
}
