// SPDX-License-Identifier: MIT
#include "osiiso/async_queue.hpp"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <iterator>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/system_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include "queue/parts.hpp"
#include "support/process_guard.hpp"
#include "support/program.hpp"

using namespace std::chrono_literals;
using asio::awaitable;
using osiiso::AsyncQueue;
using osiiso::Batch;
using osiiso::Command;
using osiiso::RunSummary;
using osiiso::Status;
using osiiso::TaskOptions;
using osiiso::test::Gate;
using osiiso::test::Log;
using osiiso::test::messages;
using osiiso::test::named;
using osiiso::test::shared;
using osiiso::test::wait_for_stop;

namespace {

using Texts = std::vector<std::string>;

awaitable<void> sleep_for(osiiso::Duration time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

/// Lets the others in the loop go on.
awaitable<void> yield() {
  co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

/// Ends when it is cancelled, no sooner.
awaitable<void> wait_for_cancel() {
  co_await sleep_for(24h);
}

/// Polls without blocking the loop.
awaitable<void> until(std::function<bool()> condition) {
  while (!condition()) co_await sleep_for(1ms);
}

awaitable<int> doubled(int value) {
  co_await yield();
  co_return 2 * value;
}

awaitable<void> fail(std::string text) {
  co_await yield();
  throw std::runtime_error(text);
}

awaitable<void> nothing() {
  co_return;
}

std::size_t thread_count() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                    std::filesystem::directory_iterator()));
}

}  // namespace

TEST_CASE("a run reports every coroutine in submission order, with its value") {
  AsyncQueue queue({.workers = 4});
  std::vector<osiiso::TaskHandle<int>> handles;
  for (int i = 0; i < 100; ++i) {
    handles.push_back(queue.submit(named("t" + std::to_string(i)), doubled, i));
  }
  const auto summary = osiiso::run(queue.run());
  REQUIRE(summary.results.size() == 100);
  CHECK(summary.succeeded == 100);
  CHECK(summary.ok());
  for (std::size_t i = 0; i < 100; ++i) {
    CHECK(summary.results[i]->name == "t" + std::to_string(i));
    CHECK(handles[i].value() == 2 * static_cast<int>(i));
  }
}

TEST_CASE("a queue runs again, in another loop too, and each summary holds only what is new") {
  AsyncQueue queue({.workers = 1});
  queue.submit(named("first"), nothing);
  CHECK(osiiso::run(queue.run()).total_submitted == 1);
  queue.submit(named("second"), nothing);
  const auto summary = osiiso::run(queue.run());
  REQUIRE(summary.results.size() == 1);
  CHECK(summary.results[0]->name == "second");
  CHECK(osiiso::run(queue.run()).total_submitted == 0);
}

TEST_CASE("run() gives what the awaitable returns, and throws what it throws") {
  CHECK(osiiso::run(doubled(21)) == 42);
  osiiso::run(nothing());
  CHECK_THROWS_WITH_AS(osiiso::run(fail("boom")), "boom", std::runtime_error);
}

TEST_CASE("an exception arrives as it was thrown, and its text is the message") {
  AsyncQueue queue;
  auto handle = queue.submit(named("a"), []() -> awaitable<int> {
    co_await yield();
    throw std::out_of_range("no such thing");
  });
  CHECK(osiiso::run(queue.run()).failed == 1);
  CHECK(handle.result()->message == "no such thing");
  CHECK_THROWS_AS(handle.value(), std::out_of_range);
}

TEST_CASE("arguments are lvalues at each attempt of a coroutine, move-only ones come once") {
  AsyncQueue queue;
  int calls = 0;
  TaskOptions options;
  options.retries = 2;
  auto handle = queue.submit(
      options,
      [&calls](std::string& text) -> awaitable<std::string> {
        co_await yield();
        text += "x";
        if (++calls < 3) throw std::runtime_error("attempt " + std::to_string(calls));
        co_return text;
      },
      std::string("a"));
  const auto take = [](std::unique_ptr<int> value) -> awaitable<std::unique_ptr<int>> {
    co_await yield();
    co_return value;
  };
  auto moved = queue.submit(take, std::make_unique<int>(7));
  CHECK_THROWS_AS(queue.submit(options, take, std::make_unique<int>(7)), osiiso::OptionError);
  CHECK(osiiso::run(queue.run()).ok());
  CHECK(handle.value() == "axxx");
  CHECK(handle.attempts() == 3);
  CHECK(handle.result()->attempt_list()[1].message == "attempt 2");
  CHECK(*moved.value() == 7);
}

TEST_CASE("co_await wait(): the result, or a timeout that leaves the task alone") {
  AsyncQueue queue;
  osiiso::run([](AsyncQueue& q) -> awaitable<void> {
    Gate go_on;
    auto handle = q.submit(named("a"), [&] {
      go_on.wait();
      return 5;
    });
    CHECK(handle.status() == Status::pending);
    CHECK_THROWS_WITH_AS(handle.result(), "result not ready", osiiso::StateError);
    co_await q.start();
    co_await until([&] { return handle.status() == Status::running; });
    std::string text;
    try {
      co_await handle.wait(1ms);
    } catch (const osiiso::TimeoutError& error) {
      text = error.what();
    }
    CHECK(text == "result not ready");
    go_on.open();
    CHECK((co_await handle.wait())->status == Status::succeeded);
    CHECK((co_await handle.wait(0ms))->status == Status::succeeded);
    CHECK(handle.value() == 5);
    CHECK(handle.done());
    CHECK(handle.task_id().size() == 32);
    CHECK(handle.name() == "a");
    co_await q.shutdown();
  }(queue));
}

TEST_CASE("a coroutine that waits for another task is cancelled in its wait") {
  AsyncQueue queue;
  auto other = queue.submit(named("other"), wait_for_cancel);
  bool got_result = false;
  auto waiter = queue.submit(named("waiter"), [&]() -> awaitable<void> {
    co_await other.wait();
    got_result = true;
  });
  queue.submit(named("canceller"), [&]() -> awaitable<void> {
    co_await until([&] { return waiter.status() == Status::running; });
    CHECK(waiter.cancel());
    co_await waiter.wait();
    CHECK(other.cancel());
  });
  CHECK(messages(osiiso::run(queue.run())) ==
        Texts{"other: cancelled", "waiter: cancelled", "canceller: "});
  CHECK_FALSE(got_result);
}

TEST_CASE("CAN-1: cancelling a pending, a running and a finished task") {
  AsyncQueue queue({.workers = 1});
  auto done = queue.submit(named("done"), nothing);
  auto running = queue.submit(named("running"), wait_for_cancel);
  auto pending = queue.submit(named("pending"), nothing);
  std::thread canceller([&] {
    while (running.status() != Status::running) std::this_thread::yield();
    CHECK_FALSE(done.cancel());
    CHECK(pending.cancel());
    CHECK(running.cancel());
  });
  CHECK(osiiso::run(queue.run()).cancelled == 2);
  canceller.join();
  CHECK(pending.result()->message == "cancelled before execution");
  CHECK(pending.result()->attempts == 0);
  CHECK_FALSE(pending.result()->started_at.has_value());
  CHECK(running.result()->message == "cancelled");
  CHECK_FALSE(running.cancel());
  CHECK(running.cancelled());
  CHECK_THROWS_AS(running.value(), osiiso::CancelledError);
}

TEST_CASE("TMO-2: what a coroutine awaits is cancelled by its timeout") {
  AsyncQueue queue;
  TaskOptions options = named("slow");
  options.timeout = 20ms;
  options.retries = 1;
  auto handle = queue.submit(options, wait_for_cancel);
  CHECK(osiiso::run(queue.run()).failed == 1);
  CHECK(handle.result()->message == "task 'slow' exceeded 0.02s timeout");
  CHECK(handle.attempts() == 2);
  CHECK_THROWS_AS(std::rethrow_exception(handle.exception()), osiiso::AttemptTimeoutError);
}

TEST_CASE("an aborted operation that nobody asked for is a failure") {
  AsyncQueue queue;
  queue.submit(named("a"), []() -> awaitable<void> {
    co_await yield();
    throw asio::system_error(asio::error::operation_aborted);
  });
  CHECK(osiiso::run(queue.run()).failed == 1);
}

TEST_CASE("TMO-2: a deaf coroutine is given up after its grace, and its frame lives on") {
  AsyncQueue queue({.workers = 1, .grace = 10ms});
  bool released = false;
  bool returned = false;
  TaskOptions options = named("deaf");
  options.timeout = 10ms;
  queue.submit(options, [&]() -> awaitable<void> {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    while (!released) co_await sleep_for(1ms);
    returned = true;
  });
  queue.submit(named("next"), nothing);
  RunSummary summary;
  osiiso::run([&]() -> awaitable<void> {
    summary = co_await queue.run();
    CHECK_FALSE(returned);
    released = true;
    co_await until([&] { return returned; });
  }());
  CHECK(messages(summary) == Texts{"deaf: task 'deaf' exceeded 0.01s timeout", "next: "});
}

TEST_CASE("TMO-2: a deaf function is given up after its grace and its worker replaced") {
  auto release = std::make_shared<Gate>();
  auto returned = std::make_shared<Gate>();
  {
    AsyncQueue queue({.workers = 1, .grace = 20ms});
    TaskOptions options = named("deaf");
    options.timeout = 20ms;
    queue.submit(options, [release, returned] {
      release->wait();
      returned->open();
    });
    queue.submit(named("next"), [] {});
    CHECK(messages(osiiso::run(queue.run())) ==
          Texts{"deaf: task 'deaf' exceeded 0.02s timeout", "next: "});
  }
  release->open();
  returned->wait();
}

TEST_CASE("plain functions run on threads, beside the loop, and hear their stop token") {
  AsyncQueue queue;
  const auto loop_thread = std::this_thread::get_id();
  auto where = queue.submit([] { return std::this_thread::get_id(); });
  auto coroutine =
      queue.submit([]() -> awaitable<std::thread::id> { co_return std::this_thread::get_id(); });
  TaskOptions options = named("slow");
  options.timeout = 20ms;
  auto slow = queue.submit(options, [](std::stop_token stop) { wait_for_stop(stop); });
  auto thrown = queue.submit([]() -> int { throw std::runtime_error("boom"); });
  auto attempt = queue.submit([](const osiiso::TaskContext& context) { return context.attempt(); });
  osiiso::run(queue.run());
  CHECK(where.value() != loop_thread);
  CHECK(coroutine.value() == loop_thread);
  CHECK(slow.result()->message == "task 'slow' exceeded 0.02s timeout");
  CHECK(thrown.result()->message == "boom");
  CHECK(attempt.value() == 1);
}

TEST_CASE("a coroutine may take its context or a stop token") {
  AsyncQueue queue;
  auto name = queue.submit(
      named("me"),
      [](const osiiso::TaskContext& context, std::string suffix) -> awaitable<std::string> {
        co_await yield();
        co_return context.name() + suffix;
      },
      std::string("!"));
  TaskOptions options = named("polls");
  options.timeout = 20ms;
  auto polls = queue.submit(options, [](std::stop_token stop) -> awaitable<void> {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    while (!stop.stop_requested()) co_await yield();
  });
  osiiso::run(queue.run());
  CHECK(name.value() == "me!");
  CHECK(polls.result()->message == "task 'polls' exceeded 0.02s timeout");
}

TEST_CASE("fail_first with two workers ends the run, and spares must_complete") {
  for (int round = 0; round < 50; ++round) {
    AsyncQueue queue({.workers = 2, .fail_policy = osiiso::FailPolicy::fail_first});
    queue.submit(named("bad"), fail, "boom");
    queue.submit(named("running"), wait_for_cancel);
    queue.submit(named("ordinary"), nothing);
    TaskOptions spared = named("spared");
    spared.must_complete = true;
    queue.submit(spared, nothing);
    REQUIRE(messages(osiiso::run(queue.run())) == Texts{"bad: boom", "running: cancelled",
                                                        "ordinary: cancelled before execution",
                                                        "spared: "});
  }
}

TEST_CASE("RUN-2: the run's timeout cancels what is ordinary and reports it") {
  AsyncQueue queue({.workers = 1, .timeout = 1s});
  queue.submit(named("stuck"), wait_for_cancel);
  queue.submit(named("later"), nothing);
  const auto summary = osiiso::run(queue.run());
  CHECK(summary.timed_out);
  CHECK(messages(summary) == Texts{"stuck: cancelled", "later: cancelled before execution"});
}

TEST_CASE("RUN-1: an infinite run ends at its timeout, however idle it is") {
  AsyncQueue queue({.workers = 1, .timeout = 1s, .mode = osiiso::Mode::infinite});
  queue.submit(named("a"), nothing);
  const auto summary = osiiso::run(queue.run());
  CHECK(summary.timed_out);
  CHECK(summary.succeeded == 1);
}

TEST_CASE("RUN-1: an infinite run ends at a shutdown") {
  AsyncQueue queue({.mode = osiiso::Mode::infinite});
  osiiso::run([&]() -> awaitable<void> {
    auto handle = queue.submit(doubled, 2);
    asio::co_spawn(
        co_await asio::this_coro::executor,
        [&]() -> awaitable<void> {
          co_await handle.wait();
          co_await queue.shutdown();
        },
        [](std::exception_ptr) {});
    CHECK((co_await queue.run()).succeeded == 1);
  }());
}

TEST_CASE("delays, backoff and the rate gate hold no worker and end the run when done") {
  Log log;
  AsyncQueue queue({.workers = 1, .rate = 200, .burst = 1});
  TaskOptions later = named("later");
  later.delay = 1s;
  queue.submit(later, [&]() -> awaitable<void> {
    log.add("later");
    co_return;
  });
  TaskOptions flaky = named("flaky");
  flaky.retries = 1;
  flaky.retry_delay = 5ms;
  int calls = 0;
  auto again = queue.submit(flaky, [&]() -> awaitable<void> {
    if (++calls == 1) throw std::runtime_error("boom");
    co_return;
  });
  queue.submit(named("now"), [&]() -> awaitable<void> {
    log.add("now");
    co_return;
  });
  CHECK(osiiso::run(queue.run()).ok());
  CHECK(log.lines() == Texts{"now", "later"});
  CHECK(again.attempts() == 2);
}

TEST_CASE("SUB-4: a task submits tasks, and the run waits for them") {
  AsyncQueue queue({.workers = 1});
  queue.submit(named("outer"), [&]() -> awaitable<void> {
    queue.submit(named("inner"), nothing);
    queue.submit(named("function"), [] {});
    co_return;
  });
  CHECK(osiiso::run(queue.run()).succeeded == 3);
}

TEST_CASE("SIZ-1: a full queue refuses, tasks alone and batches whole") {
  AsyncQueue queue({.size = 3});
  queue.map(doubled, std::vector{1, 2});
  CHECK_THROWS_WITH_AS(queue.map(doubled, std::vector{1, 2}), "queue is full (2 tasks outstanding)",
                       osiiso::QueueFullError);
  queue.submit(doubled, 3);
  CHECK_THROWS_WITH_AS(queue.submit(nothing), "queue is full (3 tasks outstanding)",
                       osiiso::QueueFullError);
  CHECK(osiiso::run(queue.run()).succeeded == 3);
  queue.submit(nothing);
  CHECK(osiiso::run(queue.run()).succeeded == 1);
}

TEST_CASE("NEE-1: needs and finally, with coroutines, functions and commands in one batch") {
  Log log;
  AsyncQueue queue;
  Batch batch;
  const auto note = [&log](std::string name) -> awaitable<void> {
    co_await yield();
    log.add(name);
  };
  const auto last = batch.add("last", shared({}), AsyncQueue::coroutine(note, std::string("last")));
  const auto middle = batch.add("middle", shared({}), [&] { log.add("middle"); });
  const auto first = batch.add("first", shared({}), Command::shell("true"));
  const auto bad = batch.add("bad", shared({}), AsyncQueue::coroutine(fail, std::string("boom")));
  const auto orphan = batch.add("orphan", shared({}), [] {});
  batch.add_finally("end", shared({}), AsyncQueue::coroutine(note, std::string("end")));
  batch.need(last, middle);
  batch.need(middle, first);
  batch.need(orphan, bad);
  queue.submit(std::move(batch));
  CHECK(messages(osiiso::run(queue.run())) == Texts{"last: ", "middle: ", "first: ", "bad: boom",
                                                    "orphan: needs 'bad', which failed", "end: "});
  CHECK(log.lines() == Texts{"middle", "last", "end"});
}

TEST_CASE("workers bound how many attempts there are at once, and priority orders them") {
  Log log;
  int now = 0;
  int most = 0;
  AsyncQueue queue({.workers = 3});
  for (int i = 0; i < 50; ++i) {
    queue.submit([&]() -> awaitable<void> {
      most = std::max(most, ++now);
      co_await yield();
      --now;
    });
  }
  CHECK(osiiso::run(queue.run()).succeeded == 50);
  CHECK(most == 3);
  AsyncQueue single({.workers = 1});
  for (const int priority : {5, 1, 3}) {
    TaskOptions options = named(std::to_string(priority));
    options.priority = priority;
    single.submit(
        options,
        [&log](std::string name) -> awaitable<void> {
          log.add(name);
          co_return;
        },
        options.name);
  }
  osiiso::run(single.run());
  CHECK(log.lines() == Texts{"1", "3", "5"});
}

TEST_CASE("halt() spares must_complete and finally tasks, kill() nothing, from any thread") {
  for (const bool kill : {false, true}) {
    CAPTURE(kill);
    AsyncQueue queue({.workers = 1});
    Batch batch;
    std::atomic<bool> started = false;
    batch.add("running", shared({}), AsyncQueue::coroutine([&]() -> awaitable<void> {
                started = true;
                co_await wait_for_cancel();
              }));
    batch.add("ordinary", shared({}), [] {});
    TaskOptions spared;
    spared.must_complete = true;
    batch.add("spared", shared(spared), AsyncQueue::coroutine(nothing));
    batch.add_finally("end", shared({}), AsyncQueue::coroutine(nothing));
    queue.submit(std::move(batch));
    std::thread stopper([&] {
      while (!started) std::this_thread::yield();
      kill ? queue.kill() : queue.halt();
    });
    const auto summary = osiiso::run(queue.run());
    stopper.join();
    CHECK(summary.cancelled == (kill ? 4 : 2));
    CHECK(summary.succeeded == (kill ? 0 : 2));
  }
}

TEST_CASE("a closed queue says so, and reset opens it again") {
  AsyncQueue queue;
  osiiso::run([&]() -> awaitable<void> {
    auto handle = queue.submit(doubled, 1);
    co_await queue.shutdown();
    CHECK(handle.value() == 2);
    CHECK_THROWS_WITH_AS(queue.submit(nothing), "queue is not accepting tasks",
                         osiiso::ClosedError);
    std::string text;
    try {
      co_await queue.run();
    } catch (const osiiso::ClosedError& error) {
      text = error.what();
    }
    CHECK(text == "queue has been shut down");
    co_await queue.shutdown();
    co_await queue.shutdown(true);
    co_await queue.reset();
    auto running = queue.submit(named("running"), wait_for_cancel);
    co_await queue.start();
    co_await until([&] { return running.status() == Status::running; });
    co_await queue.reset();
    CHECK(running.cancelled());
    queue.submit(doubled, 1);
    CHECK((co_await queue.run()).total_submitted == 1);
  }());
}

TEST_CASE("a task cannot wait for its own queue") {
  AsyncQueue queue;
  auto shutdown = queue.submit([&]() -> awaitable<void> { co_await queue.shutdown(); });
  auto run = queue.submit([&]() -> awaitable<void> { co_await queue.run(); });
  auto join = queue.submit([&]() -> awaitable<void> { co_await queue.join(); });
  CHECK(osiiso::run(queue.run()).failed == 3);
  CHECK(shutdown.result()->message == "a task or hook cannot wait for its own queue to shut down");
  CHECK(run.result()->message == "run() is already in progress");
  CHECK(join.result()->message == "a task or hook cannot wait for its own queue to finish");
}

TEST_CASE("start and join, without a run") {
  AsyncQueue queue;
  osiiso::run([&]() -> awaitable<void> {
    co_await queue.start();
    auto handles = queue.map(doubled, std::vector{1, 2, 3});
    co_await queue.join();
    CHECK(handles[2].value() == 6);
    CHECK(queue.stats().outstanding == 0);
    CHECK(queue.stats().finished == 3);
    CHECK((co_await queue.run()).succeeded == 3);
  }());
}

TEST_CASE("strict runs throw what is wrong") {
  AsyncQueue queue;
  queue.submit(fail, "boom");
  CHECK_THROWS_WITH_AS(osiiso::run(queue.run({}, true)), "1 task(s) failed",
                       osiiso::ExecutionError);
}

TEST_CASE("ITR-1: as_completed gives the handles in the order in which they ended") {
  AsyncQueue queue;
  osiiso::run([&]() -> awaitable<void> {
    std::vector<osiiso::TaskHandle<int>> handles;
    bool go_on = false;
    handles.push_back(queue.submit([&]() -> awaitable<int> {
      while (!go_on) co_await yield();
      co_return 0;
    }));
    for (int i = 1; i < 4; ++i) {
      handles.push_back(queue.submit([&, i]() -> awaitable<int> {
        if (i < 3) co_await handles[static_cast<std::size_t>(i) + 1].wait();
        co_return i;
      }));
    }
    co_await queue.start();
    co_await handles[3].wait();
    auto completed = AsyncQueue::as_completed(handles);
    std::vector<int> order;
    while (auto handle = co_await completed.next()) {
      order.push_back(handle->value());
      if (order.size() == 3) go_on = true;
    }
    CHECK(order == std::vector{3, 2, 1, 0});
    CHECK_FALSE((co_await completed.next()).has_value());

    auto stuck = queue.submit(wait_for_cancel);
    auto never = AsyncQueue::as_completed(std::vector{stuck}, 5ms);
    std::string text;
    try {
      co_await never.next();
    } catch (const osiiso::TimeoutError& error) {
      text = error.what();
    }
    CHECK(text == "handles did not complete within timeout");
    co_await queue.shutdown(true);
  }());
}

TEST_CASE("GRP-1: groups of one callable and of mixed ones") {
  AsyncQueue queue;
  TaskOptions options;
  options.group_id = "api";
  auto group = queue.group(options, doubled, std::vector{1, 2, 3});
  auto mixed = queue.group({}, osiiso::bound(doubled, 5), osiiso::bound([] { return 'x'; }),
                           osiiso::bound(nothing), osiiso::bound(Command::shell("echo hi")));
  CHECK(group.group_id() == "api");
  CHECK(group.size() == 3);
  CHECK(std::distance(group.begin(), group.end()) == 3);
  CHECK(mixed.group_id() == "group-3");
  osiiso::run([&]() -> awaitable<void> {
    const auto summary = co_await queue.run();
    CHECK(summary.by_group().size() == 2);
    CHECK((co_await group.wait()).succeeded == 3);
  }());
  CHECK(group.values() == std::vector{2, 4, 6});
  const auto [number, letter, none, output] = mixed.values();
  CHECK(number == 10);
  CHECK(letter == 'x');
  CHECK(output.stdout_text == "hi\n");

  auto stuck = queue.group([](int) { return wait_for_cancel(); }, std::vector{1, 2});
  osiiso::run([&]() -> awaitable<void> {
    co_await queue.start();
    bool timed_out = false;
    try {
      co_await stuck.wait(1ms);
    } catch (const osiiso::TimeoutError&) {
      timed_out = true;
    }
    CHECK(timed_out);
    CHECK(stuck.cancel() == 2);
    auto completed = stuck.as_completed();
    while (auto handle = co_await completed.next()) CHECK(handle->cancelled());
    CHECK((co_await stuck.wait()).cancelled == 2);
    CHECK_THROWS_AS(stuck.values(), osiiso::ExecutionError);
  }());
}

TEST_CASE("amap gives the values in input order, or throws") {
  CHECK(osiiso::run(osiiso::amap(doubled, std::vector{1, 2, 3})) == std::vector{2, 4, 6});
  CHECK(osiiso::run(osiiso::amap([](int a, int b) { return a + b; },
                                 std::vector{std::tuple(1, 2), std::tuple(3, 4)})) ==
        std::vector{3, 7});
  CHECK_THROWS_AS(osiiso::run(osiiso::amap(fail, std::vector<std::string>{"a"})),
                  osiiso::ExecutionError);
}

TEST_CASE("a bound task submits itself") {
  AsyncQueue queue;
  auto twice = queue.bind({.name = "twice"}, doubled);
  auto handle = twice(4);
  osiiso::run(queue.run());
  CHECK(handle.value() == 8);
  CHECK(handle.name() == "twice");
}

TEST_CASE("HOK-1: hooks tell the life of a task in order, and what they throw harms nobody") {
  Log log;
  osiiso::QueueOptions options{.workers = 2};
  options.hooks.on_start = [&](const osiiso::HookTask& task) {
    log.add("start " + task.name + " " + std::to_string(task.attempt));
    throw std::runtime_error("hook");
  };
  options.hooks.on_retry = [&](const osiiso::HookTask& task, const osiiso::AttemptResult& failed) {
    log.add("retry " + task.name + " " + std::to_string(failed.attempt) + " " + failed.message);
  };
  options.hooks.on_complete = [&](const osiiso::ResultPtr& result) {
    log.add("complete " + result->name);
  };
  options.hooks.on_error = [&](std::exception_ptr) { log.add("error"); };
  AsyncQueue queue(options);
  int calls = 0;
  TaskOptions flaky = named("flaky");
  flaky.retries = 1;
  auto handle = queue.submit(flaky, [&]() -> awaitable<void> {
    log.add("body");
    if (++calls == 1) throw std::runtime_error("boom");
    co_return;
  });
  handle.on_done([&](const osiiso::AnyTaskHandle& done) { log.add("done " + done.name()); });
  CHECK(osiiso::run(queue.run()).ok());
  CHECK(log.lines() == Texts{"start flaky 1", "error", "body", "retry flaky 1 boom",
                             "start flaky 2", "error", "body", "done flaky", "complete flaky"});
}

TEST_CASE("WRK-2: an initializer that fails ends the run with its error, on loop and threads") {
  for (const bool in_loop : {true, false}) {
    CAPTURE(in_loop);
    std::atomic<int> calls = 0;
    osiiso::QueueOptions options{.workers = 1};
    options.initializer = [&] {
      if (++calls == 1) throw std::out_of_range("no licence");
    };
    AsyncQueue queue(options);
    const auto submit = [&] {
      if (in_loop) queue.submit(nothing);
      if (!in_loop) queue.submit([] {});
    };
    submit();
    CHECK_THROWS_AS(osiiso::run(queue.run()), std::out_of_range);
    submit();
    submit();
    CHECK(osiiso::run(queue.run()).succeeded == 2);
    CHECK(calls == 2);
  }
}

TEST_CASE("submit and cancel from other threads while the loop runs") {
  AsyncQueue queue({.workers = 8, .mode = osiiso::Mode::infinite});
  constexpr int kThreads = 3;
  constexpr int kEach = 300;
  std::vector<std::thread> threads;
  std::atomic<int> left = kThreads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        auto handle = queue.submit(doubled, i);
        auto stuck = queue.submit(wait_for_cancel);
        CHECK(stuck.cancel());
      }
      if (--left == 0) queue.halt();
    });
  }
  const auto summary = osiiso::run(queue.run());
  for (auto& thread : threads) thread.join();
  CHECK(summary.total_submitted == 2 * kThreads * kEach);
  CHECK(summary.failed == 0);
  CHECK(summary.cancelled >= kThreads * kEach);
}

TEST_CASE("the end of a queue's scope cancels what is outstanding and leaves nothing behind") {
  bool unwound = false;
  std::optional<osiiso::TaskHandle<void>> handle;
  std::optional<osiiso::TaskHandle<osiiso::CommandOutput>> command;
  const osiiso::test::ProcessGuard guard;
  osiiso::run([&]() -> awaitable<void> {
    {
      AsyncQueue queue;
      handle = queue.submit([&]() -> awaitable<void> {
        struct AtEnd {
          bool& flag;
          ~AtEnd() { flag = true; }
        } const at_end{unwound};
        co_await wait_for_cancel();
      });
      command = queue.submit(Command::argv({"sleep", "1000"}));
      queue.submit([](std::stop_token stop) { wait_for_stop(stop); });
      co_await queue.start();
      co_await until([&] { return queue.stats().running == 3; });
    }
    co_await handle->wait();
    co_await command->wait();
    CHECK(unwound);
    CHECK(handle->cancelled());
    CHECK(command->cancelled());
  }());
}

TEST_CASE("a loop that ends takes its tasks with it") {
  const osiiso::test::ProcessGuard guard;
  AsyncQueue queue;
  auto coroutine = queue.submit(wait_for_cancel);
  auto command = queue.submit(Command::argv({"sleep", "1000"}));
  osiiso::run([&]() -> awaitable<void> {
    co_await queue.start();
    co_await until([&] { return queue.stats().running == 2; });
  }());
  CHECK(coroutine.result()->message == "the event loop ended");
  CHECK(command.result()->message == "the event loop ended");
  queue.submit(nothing);
  CHECK(osiiso::run(queue.run()).total_submitted == 3);
}

TEST_CASE("a run that is cancelled cancels everything") {
  AsyncQueue queue;
  auto handle = queue.submit(wait_for_cancel);
  asio::io_context context;
  asio::cancellation_signal signal;
  bool aborted = false;
  asio::co_spawn(
      context, queue.run(),
      asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr error, RunSummary) {
        aborted = error != nullptr;
      }));
  handle.on_done([](const osiiso::AnyTaskHandle&) {});
  asio::co_spawn(
      context,
      [&]() -> awaitable<void> {
        co_await until([&] { return handle.status() == Status::running; });
        signal.emit(asio::cancellation_type::terminal);
      },
      [](std::exception_ptr) {});
  // It ends by itself: nothing of the queue's keeps the loop going.
  context.run();
  CHECK(aborted);
  CHECK(handle.cancelled());
}

TEST_CASE("commands: output, failures, what they read, and a program that is not there") {
  const osiiso::test::ProcessGuard guard;
  AsyncQueue queue;
  auto settings = std::make_shared<osiiso::CommandSettings>();
  settings->stdin_text = "typed\n";
  auto good = queue.submit(named("good"), Command::shell("echo out; echo err >&2"));
  auto bad = queue.submit(named("bad"), Command::shell("echo Connection refused >&2; exit 7"));
  auto missing = queue.submit({}, Command::argv({"/no/such/program"}));
  auto reads = queue.submit({}, Command::shell("cat", settings));
  auto large = queue.submit({}, Command::shell("yes | head -c 1000000"));
  auto silent = queue.submit({}, Command::shell("exec >&- 2>&-; sleep 0.05; exit 3"));
  const auto summary = osiiso::run(queue.run());
  CHECK(summary.succeeded == 3);
  CHECK(good.value().stdout_text == "out\n");
  CHECK(good.value().stderr_text == "err\n");
  CHECK(bad.result()->message == "Connection refused");
  CHECK(bad.result()->attempt_list()[0].exit_code == 7);
  CHECK(missing.result()->message == "cannot run '/no/such/program': No such file or directory");
  CHECK(missing.result()->attempt_list()[0].cause == osiiso::Cause::spawn);
  CHECK(reads.value().stdout_text == "typed\n");
  CHECK(large.value().stdout_bytes == 1000000);
  CHECK(silent.result()->message == "exit status 3");
}

TEST_CASE("a command that passes its timeout is stopped, and what it printed is kept") {
  const osiiso::test::ProcessGuard guard;
  AsyncQueue queue({.grace = 50ms});
  TaskOptions options = named("slow");
  options.timeout = 1s;
  auto handle = queue.submit(options, Command::shell("echo so far; sleep 1000 & sleep 1000"));
  auto deaf = queue.submit(options, Command::shell("trap '' TERM; while :; do sleep 0.01; done"));
  CHECK(osiiso::run(queue.run()).failed == 2);
  CHECK(handle.result()->message == "task 'slow' exceeded 1s timeout");
  REQUIRE(handle.result()->output != nullptr);
  CHECK(handle.result()->output->stdout_text == "so far\n");
  CHECK(deaf.result()->attempt_list()[0].cause == osiiso::Cause::timeout);
}

TEST_CASE("a running command is cancelled from another thread") {
  const osiiso::test::ProcessGuard guard;
  AsyncQueue queue;
  auto handle = queue.submit(Command::argv({"sleep", "1000"}));
  std::thread canceller([&] {
    while (handle.status() != Status::running) std::this_thread::yield();
    CHECK(handle.cancel());
  });
  CHECK(osiiso::run(queue.run()).cancelled == 1);
  canceller.join();
}

TEST_CASE("a server that is kept lives until the run ends") {
  AsyncQueue queue;
  auto settings = std::make_shared<osiiso::CommandSettings>();
  settings->leak = osiiso::Leak::keep;
  Batch batch;
  // To grep, NUL ends a line: the text of the shell must not begin with "sleep".
  const auto server =
      batch.add("server", shared({}),
                Command::shell(":; sleep 76513 & until grep -q ^sleep /proc/$!/cmdline; do :; done",
                               settings));
  const auto user = batch.add("user", shared({}), Command::shell("pgrep -f 'sleep 7651[3]'"));
  batch.need(user, server);
  queue.submit(std::move(batch));
  CHECK(osiiso::run(queue.run()).ok());
  CHECK(osiiso::test::count_processes("76513") == 0);
}

TEST_CASE("500 commands at once take no thread each") {
  constexpr int kCommands = 500;
  const osiiso::test::ProcessGuard guard;
  AsyncQueue queue({.workers = kCommands});
  // They end when all of them run, by the end of their input.
  osiiso::test::TemporaryFolder folder;
  const auto before = thread_count();
  for (int i = 0; i < kCommands; ++i) {
    queue.submit(Command::shell("exec sleep 76514"));
  }
  osiiso::run([&]() -> awaitable<void> {
    co_await queue.start();
    co_await until([&] { return osiiso::test::count_processes("76514") >= kCommands; });
    CHECK(queue.stats().running == kCommands);
    CHECK(thread_count() <= before + 1);
    queue.kill();
    const auto summary = co_await queue.run();
    CHECK(summary.cancelled == kCommands);
  }());
}

TEST_CASE("a queue that is destroyed tells of all that this cancels") {
  constexpr int kTasks = 3'000;
  int told = 0;
  osiiso::QueueOptions options{.keep_results = false};
  options.hooks.on_complete = [&](const osiiso::ResultPtr& result) {
    if (result->status == Status::cancelled) ++told;
  };
  {
    AsyncQueue queue(options);
    osiiso::run(queue.start());  // in a loop that goes no further
    Batch batch;
    for (int i = 0; i < kTasks; ++i) batch.add({}, [] {});
    queue.post(std::move(batch));
  }
  CHECK(told == kTasks);
}
