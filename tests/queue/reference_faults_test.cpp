// SPDX-License-Identifier: MIT
//
// What the reference implementation gets wrong ("What the reference gets wrong" in behaviour.md),
// as far as it concerns threads: each fault would hang or fail one of these.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "osiiso/thread_queue.hpp"

#include "queue/parts.hpp"

using namespace std::chrono_literals;
using osiiso::FailPolicy;
using osiiso::QueueOptions;
using osiiso::Status;
using osiiso::TaskOptions;
using osiiso::ThreadQueue;
using osiiso::test::Gate;
using osiiso::test::messages;
using osiiso::test::named;
using osiiso::test::wait_for_stop;

namespace {

TaskOptions spared(std::string name) {
  TaskOptions options = named(std::move(name));
  options.must_complete = true;
  return options;
}

}  // namespace

TEST_CASE("lost wake-ups: fail_first with two workers ends, again and again") {
  for (int round = 0; round < 200; ++round) {
    ThreadQueue queue({.workers = 2, .fail_policy = FailPolicy::fail_first});
    queue.submit([] { throw std::runtime_error("boom"); });
    for (int i = 0; i < 5; ++i) queue.submit([] {});
    queue.submit([] { throw std::runtime_error("boom"); });
    const auto summary = queue.run();
    CHECK(summary.total_submitted == 7);
    CHECK(summary.failed >= 1);
    CHECK(summary.succeeded + summary.failed + summary.cancelled == 7);
  }
}

TEST_CASE("lost wake-ups: a cancel at any moment between submission and end") {
  for (int round = 0; round < 500; ++round) {
    ThreadQueue queue({.workers = 1});
    queue.start();
    const auto handle = queue.submit([](std::stop_token stop) { wait_for_stop(std::move(stop)); });
    CHECK(handle.cancel());  // before, while or after a worker takes it over
    CHECK(handle.wait()->status == Status::cancelled);
    CHECK(queue.run().cancelled == 1);
  }
}

TEST_CASE("lost wake-ups: a task that ends its thread's work by any exception") {
  ThreadQueue queue({.workers = 1});
  struct NotAnException {};
  queue.submit([] { throw NotAnException{}; });
  queue.submit([] {});
  const auto summary = queue.run();
  CHECK(summary.failed == 1);
  CHECK(summary.succeeded == 1);
}

TEST_CASE("lost wake-ups: a hook that throws whatever it likes") {
  QueueOptions options{.workers = 2};
  struct NotAnException {};
  options.hooks.on_start = [](const osiiso::HookTask&) { throw NotAnException{}; };
  options.hooks.on_retry = [](const osiiso::HookTask&, const osiiso::AttemptResult&) {
    throw NotAnException{};
  };
  options.hooks.on_complete = [](const osiiso::ResultPtr&) { throw NotAnException{}; };
  ThreadQueue queue(options);
  for (int i = 0; i < 20; ++i) {
    queue.submit({.retries = 1}, [](const osiiso::TaskContext& context) {
      if (context.attempt() == 1) throw std::runtime_error("boom");
    });
  }
  CHECK(queue.run().succeeded == 20);
}

TEST_CASE("lost wake-ups: a delayed must_complete task, automatic workers and a run timeout") {
  ThreadQueue queue({.timeout = 10ms});
  TaskOptions late = spared("late");
  late.delay = 40ms;
  queue.submit(late, [] {});
  queue.submit(named("ordinary"), [](std::stop_token stop) { wait_for_stop(std::move(stop)); });
  const auto summary = queue.run();
  CHECK(summary.timed_out);
  CHECK(messages(summary) == std::vector<std::string>{"late: ", "ordinary: cancelled"});
}

TEST_CASE("two threads that cancel 200,000 tasks: each ends exactly once, none is lost") {
  constexpr std::size_t kTasks = 200'000;
  std::atomic<std::size_t> completed = 0;
  std::atomic<std::size_t> callbacks = 0;
  std::atomic<std::size_t> ran = 0;
  std::atomic<std::size_t> granted = 0;
  QueueOptions options{.workers = 1};
  options.hooks.on_complete = [&](const osiiso::ResultPtr&) { ++completed; };
  ThreadQueue queue(options);
  const auto handles = queue.map([&](std::size_t) { ++ran; }, std::vector<std::size_t>(kTasks));
  for (std::size_t i = 0; i < kTasks; i += 1000) {
    handles[i].on_done([&](const osiiso::AnyTaskHandle&) { ++callbacks; });
  }
  const auto cancel_all = [&] {
    for (const auto& handle : handles) granted += handle.cancel() ? 1 : 0;
  };
  std::thread other(cancel_all);
  cancel_all();
  other.join();
  const auto summary = queue.run();
  CHECK(granted == kTasks);
  CHECK(summary.cancelled == kTasks);
  CHECK(completed == kTasks);
  CHECK(callbacks == kTasks / 1000);
  CHECK(ran == 0);
}

TEST_CASE("two threads that cancel while workers run: what cancel() says is what becomes of it") {
  constexpr std::size_t kTasks = 20'000;
  ThreadQueue queue({.workers = 2});
  queue.start();
  const auto handles = queue.map([](std::size_t) {}, std::vector<std::size_t>(kTasks));
  const auto cancel_all = [&](std::vector<char>& granted) {
    for (std::size_t i = kTasks; i-- > 0;) granted[i] = handles[i].cancel() ? 1 : 0;
  };
  std::vector<char> by_first(kTasks);
  std::vector<char> by_second(kTasks);
  std::thread other([&] { cancel_all(by_second); });
  cancel_all(by_first);
  other.join();
  const auto summary = queue.run();
  CHECK(summary.succeeded + summary.cancelled == kTasks);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < kTasks; ++i) {
    const bool granted = by_first[i] != 0 || by_second[i] != 0;
    if (granted != handles[i].cancelled()) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("fail_first leaves a spared task and its worker alone") {
  ThreadQueue queue({.workers = 2, .fail_policy = FailPolicy::fail_first, .grace = 1ms});
  Gate started;
  Gate tripped;
  std::thread::id before;
  std::thread::id after;
  const auto kept = queue.submit(spared("kept"), [&](std::stop_token stop) {
    before = std::this_thread::get_id();
    started.open();
    tripped.wait();
    std::this_thread::sleep_for(5ms);  // longer than the grace
    after = std::this_thread::get_id();
    return stop.stop_requested();
  });
  const auto bad = queue.submit(named("bad"), [&] {
    started.wait();
    throw std::runtime_error("boom");
  });
  bad.on_done([&](const osiiso::AnyTaskHandle&) { tripped.open(); });
  const auto summary = queue.run();
  CHECK(messages(summary) == std::vector<std::string>{"kept: ", "bad: boom"});
  CHECK_FALSE(kept.value());
  CHECK(before == after);
  CHECK(kept.attempts() == 1);
}

TEST_CASE("what ended before run() was called is in its summary") {
  ThreadQueue queue({.workers = 2});
  queue.start();
  const auto handles = queue.map([](int value) { return value; }, std::vector{1, 2, 3});
  for (const auto& handle : handles) handle.wait();
  const auto cancelled = queue.submit({.delay = 1h}, [] {});
  cancelled.cancel();
  const auto summary = queue.run();
  CHECK(summary.succeeded == 3);
  CHECK(summary.cancelled == 1);
  CHECK(queue.run().total_submitted == 0);
}

TEST_CASE("an attempt that timed out does not overlap its own retry") {
  // It honours its token, though late, so it is not given up: the retry waits for it.
  ThreadQueue queue({.workers = 4, .grace = 10s});
  std::atomic<int> now = 0;
  std::atomic<int> most = 0;
  const auto handle = queue.submit({.retries = 2, .timeout = 5ms}, [&](std::stop_token stop) {
    most = std::max(most.load(), ++now);
    wait_for_stop(std::move(stop));
    std::this_thread::sleep_for(2ms);
    --now;
  });
  queue.run();
  CHECK(handle.result()->attempts == 3);
  CHECK(handle.result()->message == "task 'task' exceeded 0.005s timeout");
  CHECK(most == 1);
}

TEST_CASE("deaf functions: no more are given up than there are workers, then they are waited for") {
  auto release = std::make_shared<Gate>();
  auto back = std::make_shared<std::atomic<int>>(0);
  {
    ThreadQueue queue({.workers = 1, .grace = 1ms});
    TaskOptions deaf = named("deaf");
    deaf.timeout = 1ms;
    for (int i = 0; i < 2; ++i) {
      queue.submit(deaf, [release, back] {
        release->wait();
        ++*back;
        back->notify_all();
      });
    }
    const auto last = queue.submit(named("last"), [] {});
    queue.start();
    // The first is given up; the second holds the only worker until it comes back.
    CHECK_THROWS_AS(last.wait(30ms), osiiso::TimeoutError);
    release->open();
    CHECK(last.wait()->status == Status::succeeded);
    CHECK(queue.run().failed == 2);
  }
  while (*back < 2) back->wait(*back);
}
