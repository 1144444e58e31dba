// SPDX-License-Identifier: MIT
//
// What can be submitted, with which arguments, and what comes back as which type.
#include <any>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "osiiso/thread_queue.hpp"

#include "base/clock.hpp"
#include "queue/parts.hpp"

using namespace std::chrono_literals;
using osiiso::bound;
using osiiso::OptionError;
using osiiso::Status;
using osiiso::TaskContext;
using osiiso::TaskOptions;
using osiiso::ThreadQueue;
using osiiso::test::Gate;
using osiiso::test::Log;
using osiiso::test::named;

namespace {

int add(int left, int right) {
  return left + right;
}

std::string shout(const std::string& text) {
  return text + "!";
}

struct Counter {
  int value = 0;
  int raise(int by) { return value += by; }
};

const auto kTimesTwo = [](int value) { return 2 * value; };

/// Throws at its first call.
struct Flaky {
  int calls = 0;
  int operator()(std::string& text) {
    text += "+";
    if (++calls == 1) throw std::runtime_error("first");
    return static_cast<int>(text.size());
  }
};

}  // namespace

// Callables and arguments

TEST_CASE("functions, members, std::function and lambdas are submitted with their arguments") {
  ThreadQueue queue({.workers = 1});
  Counter counter;
  const std::function<int(int)> negate = [](int value) { return -value; };
  const auto function = queue.submit(add, 1, 2);
  const auto pointer = queue.submit(&add, 3, 4);
  const auto text = queue.submit(shout, "hey");
  const auto member = queue.submit(&Counter::raise, &counter, 5);
  const auto of_copy = queue.submit(&Counter::raise, Counter{.value = 10}, 5);
  const auto data = queue.submit(&Counter::value, Counter{.value = 9});
  const auto erased = queue.submit(negate, 6);
  const auto mutating = queue.submit([calls = 0]() mutable { return ++calls; });
  CHECK(queue.run().ok());
  CHECK(function.value() == 3);
  CHECK(pointer.value() == 7);
  CHECK(text.value() == "hey!");
  CHECK(member.value() == 5);
  CHECK(counter.value == 5);
  CHECK(of_copy.value() == 15);
  CHECK(data.value() == 9);
  CHECK(erased.value() == -6);
  CHECK(mutating.value() == 1);
}

TEST_CASE("arguments are stored by value, and std::ref passes a reference") {
  ThreadQueue queue({.workers = 1});
  std::string text = "a";
  const auto append = [](std::string& target) { target += "b"; };
  const auto copied = queue.submit(shout, text);
  queue.submit(append, std::ref(text));
  text = "A";
  CHECK(queue.run().ok());
  CHECK(copied.value() == "a!");
  CHECK(text == "Ab");
}

TEST_CASE("move-only arguments, callables and results") {
  ThreadQueue queue({.workers = 1});
  const auto taken =
      queue.submit([](std::unique_ptr<int> number) { return *number; }, std::make_unique<int>(5));
  const auto lent = queue.submit([](const std::unique_ptr<int>& number) { return *number; },
                                 std::make_unique<int>(6));
  const auto captured = queue.submit([number = std::make_unique<int>(7)] { return *number; });
  const auto made = queue.submit([] { return std::make_unique<int>(8); });
  const auto group =
      queue.group([](int value) { return std::make_unique<int>(value); }, std::vector{1, 2});
  CHECK(queue.run().ok());
  CHECK(taken.value() == 5);
  CHECK(lent.value() == 6);
  CHECK(captured.value() == 7);
  CHECK(*made.value() == 8);
  CHECK(**group.values()[1] == 2);
}

TEST_CASE("a stop token or a context may stand first") {
  ThreadQueue queue({.workers = 1});
  const auto token = queue.submit(
      [](std::stop_token stop, int value) { return stop.stop_possible() ? value : -1; }, 4);
  const auto alone = queue.submit([](std::stop_token stop) { return stop.stop_requested(); });
  const auto context = queue.submit(
      {.name = "c", .group_id = "g", .retries = 1},
      [](const TaskContext& about, int value) {
        return about.name() + about.group_id() + std::to_string(about.attempt()) +
               std::to_string(about.max_attempts()) + std::to_string(value) + about.task_id();
      },
      5);
  CHECK(queue.run().ok());
  CHECK(token.value() == 4);
  CHECK_FALSE(alone.value());
  CHECK(context.value() == "cg125" + context.task_id());
}

TEST_CASE("references, void and std::any come back as values") {
  ThreadQueue queue({.workers = 1});
  static const std::string kept = "kept";
  const auto reference = queue.submit([]() -> const std::string& { return kept; });
  static_assert(std::is_same_v<decltype(reference.value()), std::string>);
  const auto nothing = queue.submit([] {});
  static_assert(std::is_void_v<decltype(nothing.value())>);
  const auto any = queue.submit([] { return std::any(3); });
  CHECK(queue.run().ok());
  CHECK(reference.value() == "kept");
  CHECK_NOTHROW(nothing.value());
  CHECK(std::any_cast<int>(any.value()) == 3);
}

TEST_CASE("an exception arrives as it was thrown, whatever it is") {
  ThreadQueue queue({.workers = 1});
  const auto odd = queue.submit([] { throw 42; });  // NOLINT(hicpp-exception-baseclass)
  const auto usual = queue.submit([] { throw std::out_of_range("gone"); });
  queue.run();
  CHECK_THROWS_AS(odd.value(), int);
  CHECK(odd.result()->message == "unknown exception");
  CHECK_THROWS_AS(usual.value(), std::out_of_range);
}

// Retries

TEST_CASE("RET-3: each attempt gets the arguments as lvalues, as the last one left them") {
  ThreadQueue queue({.workers = 1});
  const auto handle = queue.submit({.retries = 1}, Flaky{}, std::string("abc"));
  CHECK(queue.run().ok());
  CHECK(handle.value() == 5);
}

TEST_CASE("RET-3: what gives its arguments away is refused together with retries") {
  ThreadQueue queue({.workers = 1});
  const auto take = [](std::unique_ptr<int> number) { return *number; };
  CHECK_THROWS_AS(queue.submit({.retries = 1}, take, std::make_unique<int>(1)), OptionError);
  CHECK(queue.run().total_submitted == 0);
}

TEST_CASE("OPT-3: broken options are refused by every way to submit, and nothing is accepted") {
  ThreadQueue queue({.workers = 1});
  const TaskOptions broken{.retries = -1};
  CHECK_THROWS_WITH_AS(queue.submit(broken, add, 1, 2), "retries must be >= 0", OptionError);
  CHECK_THROWS_AS(queue.map(broken, kTimesTwo, std::vector{1}), OptionError);
  CHECK_THROWS_AS(queue.group(broken, kTimesTwo, std::vector{1}), OptionError);
  CHECK_THROWS_AS(queue.group(broken, bound(add, 1, 2)), OptionError);
  CHECK(queue.run().total_submitted == 0);
}

TEST_CASE("SUB-6: null pointers to functions and members are refused") {
  ThreadQueue queue({.workers = 1});
  int (Counter::*no_member)(int) = nullptr;
  int (*no_function)(int) = nullptr;
  CHECK_THROWS_AS(queue.submit(no_member, Counter{}, 1), OptionError);
  CHECK_THROWS_AS(queue.map(no_function, std::vector{1}), OptionError);
}

// Many at once

TEST_CASE("SUB-2: map gives handles in input order; tuples are spread") {
  ThreadQueue queue({.workers = 2});
  const auto doubled = queue.map(kTimesTwo, std::vector{1, 2, 3});
  const std::vector<std::tuple<int, int>> pairs = {{1, 2}, {3, 4}};
  const auto sums = queue.map({.name = "sum"}, add, pairs);
  const auto texts = queue.map(shout, std::vector<std::string>{"a"});
  CHECK(queue.run().ok());
  CHECK(doubled[2].value() == 6);
  CHECK(sums[0].value() == 3);
  CHECK(sums[1].value() == 7);
  CHECK(sums[1].name() == "sum");
  CHECK(texts[0].value() == "a!");
}

TEST_CASE("SUB-2: a mixed group has a tuple of values") {
  ThreadQueue queue({.workers = 2});
  const auto group =
      queue.group({.group_id = "mixed"}, bound(add, 1, 2), bound(shout, "b"), bound([] {}));
  static_assert(
      std::is_same_v<decltype(group.values()), std::tuple<int, std::string, std::monostate>>);
  CHECK(queue.run().ok());
  CHECK(std::get<0>(group.values()) == 3);
  CHECK(std::get<1>(group.values()) == "b!");
  CHECK(group.group_id() == "mixed");
  CHECK(queue.group(bound(add, 1, 2), bound(add, 3, 4)).group_id() == "group-3");
  CHECK(group.handles()[0].result()->group_id == "mixed");
}

TEST_CASE("SUB-3: an unnamed group is group-<n> by the queue's task sequence; it may be empty") {
  ThreadQueue queue({.workers = 1});
  CHECK(queue.group(kTimesTwo, std::vector{1, 2}).group_id() == "group-0");
  const auto empty = queue.group(kTimesTwo, std::vector<int>{});
  CHECK(empty.group_id() == "group-2");
  CHECK(empty.size() == 0);
  CHECK(empty.values().empty());
  CHECK(empty.wait(1ms).ok());
  CHECK(empty.cancel() == 0);
  CHECK(queue.run().succeeded == 2);
}

TEST_CASE("bind makes a function that submits, a bound call is submitted as it is") {
  ThreadQueue queue({.workers = 1});
  auto add_task = queue.bind({.name = "sum", .priority = 1}, add);
  const auto first = add_task(1, 2);
  const auto second = add_task(3, 4);
  const auto call = queue.submit({.name = "call"}, bound(add, 5, 6));
  CHECK(queue.run().ok());
  CHECK(first.value() == 3);
  CHECK(second.value() == 7);
  CHECK(second.result()->priority == 1);
  CHECK(call.value() == 11);
}

TEST_CASE("SUB-5: tmap gives the values in input order or throws") {
  CHECK(osiiso::tmap(kTimesTwo, std::vector{1, 2, 3}) == std::vector{2, 4, 6});
  CHECK(osiiso::tmap(kTimesTwo, std::vector<int>{}).empty());
  const auto fail = [](int value) {
    if (value > 1) throw std::runtime_error("no");
    return value;
  };
  CHECK_THROWS_WITH_AS(osiiso::tmap(fail, std::vector{1, 2, 3}), "2 task(s) failed",
                       osiiso::ExecutionError);
  const auto made = osiiso::tmap([](int value) { return std::make_unique<int>(value); },
                                 std::vector{4}, {.workers = 1});
  CHECK(**made.front() == 4);
}

TEST_CASE("GRP-1: a group's wait has one budget for all members") {
  ThreadQueue queue({.workers = 2});
  const auto stuck =
      queue.group([](std::stop_token stop, int) { osiiso::test::wait_for_stop(std::move(stop)); },
                  std::vector{1, 2});
  queue.start();
  CHECK_THROWS_AS(stuck.wait(5ms), osiiso::TimeoutError);
  CHECK(stuck.cancel() == 2);
  const auto summary = stuck.wait(10s);
  CHECK(summary.cancelled == 2);
  CHECK_FALSE(summary.timed_out);
}

// Completion

TEST_CASE("ITR-1: what has ended comes first, in order of completion") {
  ThreadQueue queue({.workers = 1});
  const auto last = queue.submit({.name = "last", .priority = 9}, [] {});
  const auto first = queue.submit({.name = "first", .priority = 1}, [] {});
  queue.run();
  Gate go_on;
  const auto later = queue.submit(named("later"), [&] { go_on.wait(); });
  Log log;
  for (const auto& handle : osiiso::iter_completed(std::vector{later, last, first})) {
    log.add(handle.name());
    go_on.open();
  }
  CHECK(log.lines() == std::vector<std::string>{"first", "last", "later"});
}

TEST_CASE("ITR-1: over budget, an error; what is at hand is given before") {
  ThreadQueue queue({.workers = 1});
  const auto done = queue.submit([] { return 1; });
  queue.run();
  Gate go_on;
  const auto stuck = queue.submit([&] {
    go_on.wait();
    return 2;
  });
  int seen = 0;
  const auto walk = [&] {
    for (const auto& handle : osiiso::iter_completed(std::vector{stuck, done}, 5ms)) {
      seen += handle.value();
    }
  };
  CHECK_THROWS_WITH_AS(walk(), "handles did not complete within timeout", osiiso::TimeoutError);
  CHECK(seen == 1);
  go_on.open();
  for (const auto& handle : osiiso::iter_completed(std::vector<osiiso::SyncTaskHandle<int>>{},
                                                   osiiso::Duration::max())) {
    seen += handle.value();
  }
  CHECK(seen == 1);
}

TEST_CASE("ITR-1: the budget does not count while the clock is paused") {
  ThreadQueue queue({.workers = 1});
  Gate go_on;
  const auto late = queue.submit([&] {
    go_on.wait();
    return 2;
  });
  queue.start();
  const osiiso::base::ClockPause pause;
  const std::jthread opener([&] {
    std::this_thread::sleep_for(50ms);
    go_on.open();
  });
  int seen = 0;
  for (const auto& handle : osiiso::iter_completed(std::vector{late}, 5ms)) seen += handle.value();
  CHECK(seen == 2);
}

TEST_CASE("HAN-3: done callbacks come in order, once, at once when it is done; errors are told") {
  Log log;
  osiiso::QueueOptions options{.workers = 1};
  options.hooks.on_complete = [&](const osiiso::ResultPtr&) { log.add("complete"); };
  options.hooks.on_error = [&](std::exception_ptr error) {
    try {
      std::rethrow_exception(std::move(error));
    } catch (const std::exception& thrown) {
      log.add(thrown.what());
    }
  };
  ThreadQueue queue(options);
  const auto handle = queue.submit([] { return 1; });
  handle.on_done([&](const osiiso::AnyTaskHandle& done) {
    log.add("first " + std::string(osiiso::to_string(done.status())));
    throw std::runtime_error("callback");
  });
  handle.on_done([&](const osiiso::AnyTaskHandle&) { log.add("second"); });
  queue.run();
  handle.on_done([&](const osiiso::AnyTaskHandle&) { log.add("at once"); });
  CHECK(log.lines() ==
        std::vector<std::string>{"first succeeded", "callback", "second", "complete", "at once"});
}

TEST_CASE("HAN-3: a callback that is registered while others are called does not overtake them") {
  ThreadQueue queue({.workers = 1});
  Gate in_first;
  Gate go_on;
  Log log;
  const auto handle = queue.submit([] {});
  handle.on_done([&](const osiiso::AnyTaskHandle&) {
    in_first.open();
    go_on.wait();
    log.add("first");
  });
  handle.on_done([&](const osiiso::AnyTaskHandle&) { log.add("second"); });
  queue.start();
  in_first.wait();
  handle.on_done([&](const osiiso::AnyTaskHandle&) { log.add("third"); });
  go_on.open();
  queue.join();
  CHECK(log.lines() == std::vector<std::string>{"first", "second", "third"});
}

// Needs

TEST_CASE("NEE-1: needs take handles and groups of the same run") {
  ThreadQueue queue({.workers = 4});
  Log log;
  const auto group = queue.group(
      {.delay = 5ms}, [&](int) { log.add("group"); }, std::vector{1, 2});
  const auto task = queue.submit({.needs = {group}}, [&] { log.add("task"); });
  queue.submit({.needs = {task, group}}, [&] { log.add("end"); });
  CHECK(queue.run().ok());
  CHECK(log.lines() == std::vector<std::string>{"group", "group", "task", "end"});
}

TEST_CASE("NEE-1: what it needs failed or was cancelled, in this run or an earlier one") {
  ThreadQueue queue({.workers = 1});
  const auto bad = queue.submit(named("bad"), [] { throw std::runtime_error("boom"); });
  const auto gone = queue.submit(named("gone"), [] {});
  const auto good = queue.submit(named("good"), [] {});
  const auto group = queue.group({.group_id = "mixed"}, bound([] {}),
                                 bound([] { throw std::runtime_error("boom"); }));
  gone.cancel();
  const auto after_bad = queue.submit({.needs = {bad}}, [] {});
  const auto after_gone = queue.submit({.needs = {gone}}, [] {});
  const auto down_the_line = queue.submit({.needs = {after_bad}}, [] {});
  queue.run();
  CHECK(after_bad.result()->message == "needs 'bad', which failed");
  CHECK(after_gone.result()->message == "needs 'gone', which was cancelled");
  CHECK(down_the_line.result()->message == "needs 'task', which was cancelled");

  const auto later_bad = queue.submit({.needs = {bad}}, [] {});
  const auto later_gone = queue.submit({.needs = {good, gone}}, [] {});
  const auto later_group = queue.submit({.needs = {group}}, [] {});
  const auto later_good = queue.submit({.needs = {good}}, [] {});
  queue.run();
  CHECK(later_bad.result()->message == "needs 'bad', which failed");
  CHECK(later_bad.attempts() == 0);
  CHECK(later_gone.result()->message == "needs 'gone', which was cancelled");
  CHECK(later_group.result()->message == "needs 'mixed', which failed");
  CHECK(later_good.result()->status == Status::succeeded);
}

TEST_CASE("NEE-1: needs of another queue are refused") {
  ThreadQueue queue({.workers = 1});
  ThreadQueue other({.workers = 1});
  const auto foreign = other.submit([] {});
  const auto group = other.group(kTimesTwo, std::vector{1});
  CHECK_THROWS_AS(queue.submit({.needs = {foreign}}, [] {}), OptionError);
  CHECK_THROWS_AS(queue.submit({.needs = {group}}, [] {}), OptionError);
  CHECK_THROWS_AS(queue.group({.needs = {foreign}}, kTimesTwo, std::vector{1}), OptionError);
  CHECK(queue.run().total_submitted == 0);
}

TEST_CASE("a queue is freed although its tasks needed each other") {
  // The leak checker would tell.
  ThreadQueue queue({.workers = 1});
  const auto first = queue.submit([] {});
  queue.submit({.needs = {first}}, [] {});
  queue.group({.needs = {first}}, kTimesTwo, std::vector{1});
}
