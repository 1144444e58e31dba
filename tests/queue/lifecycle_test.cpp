// SPDX-License-Identifier: MIT
//
// Starting, running, halting, shutting down and using a queue again; hooks; bounded queues.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "osiiso/thread_queue.hpp"

#include "queue/parts.hpp"

using namespace std::chrono_literals;
using osiiso::ClosedError;
using osiiso::FailPolicy;
using osiiso::QueueOptions;
using osiiso::RunSummary;
using osiiso::StateError;
using osiiso::Status;
using osiiso::TaskOptions;
using osiiso::ThreadQueue;
using osiiso::test::Gate;
using osiiso::test::Log;
using osiiso::test::messages;
using osiiso::test::named;
using osiiso::test::spared;
using osiiso::test::wait_for_stop;

namespace {

/// The text of the error that `call` ends with.
template <typename Error, typename Call>
std::string error_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

// Submitting from inside

TEST_CASE("SUB-4: while a run is halted, a must_complete task submits must_complete tasks") {
  ThreadQueue queue({.workers = 2, .fail_policy = FailPolicy::fail_first});
  Gate halted;
  std::string refusal;
  queue.submit(spared("outer"), [&] {
    halted.wait();
    refusal = error_of<ClosedError>([&] { queue.submit([] {}); });
    queue.submit(spared("inner"), [] {});
  });
  const auto bad = queue.submit(named("bad"), [] { throw std::runtime_error("boom"); });
  bad.on_done([&](const osiiso::AnyTaskHandle&) { halted.open(); });
  CHECK(messages(queue.run()) == std::vector<std::string>{"outer: ", "bad: boom", "inner: "});
  CHECK(refusal == "queue is not accepting tasks");
  // The refusal ends with the halt.
  queue.submit([] {});
  CHECK(queue.run().succeeded == 1);
}

TEST_CASE("SUB-4: outside a run, too, the refusal ends with the halt") {
  ThreadQueue queue({.workers = 1, .fail_policy = FailPolicy::fail_first});
  queue.start();
  queue.submit([] { throw std::runtime_error("boom"); });
  queue.join();
  const auto next = queue.submit([] {});
  queue.join();
  CHECK(next.result()->status == Status::succeeded);
  CHECK(queue.run().total_submitted == 2);
}

TEST_CASE("SIZ-1: on a full queue a task submits without waiting for itself") {
  ThreadQueue queue({.workers = 1, .size = 1});
  std::atomic<int> ran = 0;
  queue.submit([&] {
    for (int i = 0; i < 5; ++i) queue.submit([&] { ++ran; });
  });
  CHECK(queue.run().succeeded == 6);
  CHECK(ran == 5);
}

TEST_CASE("SIZ-1: no more tasks are outstanding than the size allows") {
  ThreadQueue queue({.workers = 2, .size = 3});
  std::size_t most = 0;
  for (int i = 0; i < 100; ++i) {
    queue.submit([] {});
    most = std::max(most, queue.stats().outstanding);
  }
  CHECK(most <= 3);
  CHECK(queue.run().succeeded == 100);
}

TEST_CASE("SHU-1: who waits for room on a queue that is shut down is refused") {
  ThreadQueue queue({.workers = 1, .size = 1});
  Gate started;
  queue.submit([&](std::stop_token stop) {
    started.open();
    wait_for_stop(std::move(stop));
  });
  started.wait();
  std::string refusal;
  std::thread waiting([&] { refusal = error_of<ClosedError>([&] { queue.submit([] {}); }); });
  queue.shutdown(true);
  waiting.join();
  CHECK(refusal == "queue is not accepting tasks");
}

// Runs

TEST_CASE("RUN-1: of two threads that call run, one is refused") {
  ThreadQueue queue({.workers = 1});
  Gate started;
  Gate go_on;
  queue.submit([&] {
    started.open();
    go_on.wait();
  });
  RunSummary summary;
  std::thread first([&] { summary = queue.run(); });
  started.wait();
  CHECK(error_of<StateError>([&] { queue.run(); }) == "run() is already in progress");
  go_on.open();
  first.join();
  CHECK(summary.succeeded == 1);
}

TEST_CASE("RUN-1: two threads that call run at once never share a run") {
  ThreadQueue queue({.workers = 2});
  std::atomic<std::size_t> reported = 0;
  const auto run = [&] {
    for (int i = 0; i < 50; ++i) {
      queue.submit([] {});
      try {
        reported += queue.run().total_submitted;
      } catch (const StateError&) {  // the other one is at it
      }
    }
  };
  std::thread other(run);
  run();
  other.join();
  CHECK(reported + queue.run().total_submitted == 100);
}

TEST_CASE("RUN-1: an infinite run ends at a shutdown, having finished everything") {
  ThreadQueue queue({.workers = 1, .mode = osiiso::Mode::infinite});
  RunSummary summary;
  Gate ran;
  std::thread runner([&] { summary = queue.run(); });
  queue.submit([&] { ran.open(); });
  ran.wait();
  queue.submit([] {});
  queue.shutdown();
  runner.join();
  CHECK(summary.succeeded == 2);
  CHECK_FALSE(summary.timed_out);
}

TEST_CASE("RUN-3: the timeout of a run is validated, and replaces the queue's") {
  ThreadQueue queue({.workers = 1, .timeout = 1h});
  CHECK(error_of<osiiso::OptionError>([&] { queue.run(0s); }) == "timeout must be > 0");
  queue.submit([](std::stop_token stop) { wait_for_stop(std::move(stop)); });
  CHECK(queue.run(10ms).timed_out);
}

TEST_CASE("RUN-4: what started before the run is in its summary, with its whole duration") {
  ThreadQueue queue({.workers = 1});
  queue.run();  // leaves a worker behind
  Gate started;
  Gate go_on;
  const auto handle = queue.submit([&] {
    started.open();
    go_on.wait();
  });
  queue.start();
  started.wait();
  std::this_thread::sleep_for(5ms);
  std::thread opener([&] { go_on.open(); });
  const auto summary = queue.run();
  opener.join();
  CHECK(summary.succeeded == 1);
  CHECK(handle.result()->duration >= 5ms);
  CHECK(summary.duration >= handle.result()->duration);
}

TEST_CASE("start and join, without a run") {
  ThreadQueue queue({.workers = 2});
  std::atomic<int> ran = 0;
  for (int i = 0; i < 10; ++i) queue.submit([&] { ++ran; });
  CHECK(queue.stats().outstanding == 10);
  CHECK(queue.stats().finished == 0);
  queue.start();
  queue.start();
  queue.join();
  CHECK(ran == 10);
  CHECK(queue.stats().outstanding == 0);
  CHECK(queue.stats().running == 0);
  CHECK(queue.stats().finished == 10);
}

TEST_CASE("RUN-5: run, start and join are refused after a shutdown") {
  ThreadQueue queue({.workers = 1});
  queue.shutdown();
  const std::string closed = "queue has been shut down";
  CHECK(error_of<ClosedError>([&] { queue.run(); }) == closed);
  CHECK(error_of<ClosedError>([&] { queue.start(); }) == closed);
  CHECK(error_of<ClosedError>([&] { queue.join(); }) == closed);
}

// From inside a task

TEST_CASE("SHU-1: a task that would wait for itself is refused") {
  ThreadQueue queue({.workers = 1});
  const auto shutdown = queue.submit([&] { queue.shutdown(); });
  const auto join = queue.submit([&] { queue.join(); });
  const auto run = queue.submit([&] { queue.run(); });
  const auto reset = queue.submit([&] { queue.reset(); });
  queue.start();
  queue.join();
  CHECK(shutdown.result()->message == "a task or hook cannot wait for its own queue to shut down");
  CHECK(join.result()->message == "a task or hook cannot wait for its own queue to finish");
  CHECK(run.result()->message == "run() is already in progress");
  CHECK(reset.result()->message == "a running queue cannot be reset");
  CHECK(queue.run().failed == 4);
}

TEST_CASE("SHU-1: a hook that would wait for itself is refused, on whichever thread it is called") {
  std::vector<std::string> refused;
  const auto note = [&](auto wait) {
    try {
      wait();
    } catch (const osiiso::StateError& error) {
      refused.emplace_back(error.what());
    }
  };
  ThreadQueue* used = nullptr;
  QueueOptions options{.workers = 1};
  options.hooks.on_complete = [&](const osiiso::ResultPtr&) {
    note([&] { used->join(); });
    note([&] { used->shutdown(); });
    used->shutdown(true);  // does not wait
  };
  ThreadQueue queue(options);
  used = &queue;
  queue.submit([] {}).cancel();  // calls the hook
  CHECK(refused ==
        std::vector<std::string>{"a task or hook cannot wait for its own queue to finish",
                                 "a task or hook cannot wait for its own queue to shut down"});
}

TEST_CASE("SHU-1: a task may shut its queue down by force, and ends cancelled itself") {
  ThreadQueue queue({.workers = 1});
  const auto killer = queue.submit([&] { queue.shutdown(true); });
  const auto next = queue.submit([] {});
  const auto summary = queue.run();
  CHECK(summary.cancelled == 2);
  CHECK(killer.cancelled());
  CHECK(next.result()->message == "cancelled before execution");
  CHECK_THROWS_AS(queue.run(), ClosedError);
}

// Shutdown and reset

TEST_CASE("SHU-1: a forced shutdown cancels must_complete tasks too, twice is harmless") {
  ThreadQueue queue({.workers = 1});
  const auto queued = queue.submit(spared("queued"), [] {});
  queue.shutdown(true);
  queue.shutdown(true);
  queue.shutdown();
  CHECK(queued.cancelled());
}

TEST_CASE("RST-1: reset cancels, forgets and opens again; it is refused during a run") {
  ThreadQueue queue({.workers = 1});
  const auto pending = queue.submit(spared("pending"), [] {});
  queue.reset();
  CHECK(pending.result()->message == "cancelled before execution");
  CHECK(queue.run().total_submitted == 0);
  queue.shutdown();
  queue.reset();
  queue.submit([] {});
  CHECK(queue.run().succeeded == 1);

  ThreadQueue running({.workers = 1});
  Gate started;
  Gate go_on;
  running.submit([&] {
    started.open();
    go_on.wait();
  });
  std::thread runner([&] { CHECK(running.run().succeeded == 1); });
  started.wait();
  CHECK_THROWS_AS(running.reset(), StateError);
  go_on.open();
  runner.join();
}

// Halts

TEST_CASE("ABO-2: a detached or must_complete failure trips fail_first, a cancel does not") {
  const auto cancelled_by = [](TaskOptions options) {
    ThreadQueue queue({.workers = 1, .fail_policy = FailPolicy::fail_first});
    options.priority = 1;
    queue.submit(options, [] { throw std::runtime_error("boom"); });
    queue.submit([] {});
    return queue.run().cancelled;
  };
  CHECK(cancelled_by({.must_complete = true}) == 1);
  CHECK(cancelled_by({.detached = true}) == 1);
  ThreadQueue queue({.workers = 1, .fail_policy = FailPolicy::fail_first});
  queue.submit([] {}).cancel();
  queue.submit([] {});
  CHECK(queue.run().succeeded == 1);
}

TEST_CASE("ABO-3: with on_timeout cancel, must_complete tasks are cancelled too") {
  ThreadQueue queue({.workers = 1, .timeout = 1s, .on_timeout = osiiso::OnTimeout::cancel});
  queue.submit(spared("running"), [](std::stop_token stop) { wait_for_stop(std::move(stop)); });
  queue.submit(spared("queued"), [] {});
  CHECK(messages(queue.run()) ==
        std::vector<std::string>{"running: cancelled", "queued: cancelled before execution"});
}

TEST_CASE("SUM-2: detached tasks run and are waited for, and are in no summary") {
  ThreadQueue queue({.workers = 1});
  const auto detached = queue.submit({.delay = 5ms, .detached = true}, [] { return 1; });
  const auto summary = queue.run();
  CHECK(summary.total_submitted == 0);
  CHECK(detached.value() == 1);
}

// Workers

TEST_CASE("WRK-2: the initializer runs once a worker, on its thread, before its tasks") {
  std::mutex mutex;
  std::set<std::thread::id> initialized;
  QueueOptions options{.workers = 3};
  options.initializer = [&] {
    const std::lock_guard lock(mutex);
    CHECK(initialized.insert(std::this_thread::get_id()).second);
  };
  ThreadQueue queue(options);
  queue.map(
      [&](int) {
        const std::lock_guard lock(mutex);
        CHECK(initialized.contains(std::this_thread::get_id()));
      },
      std::vector<int>(50));
  CHECK(queue.run().ok());
  CHECK(initialized.size() <= 3);
  queue.submit([] {});
  CHECK(queue.run().ok());
}

// Hooks

TEST_CASE("HOK-1: hooks may use the queue, and on_complete sees every result once") {
  Log completed;
  QueueOptions options{.workers = 2};
  ThreadQueue* used = nullptr;
  options.hooks.on_complete = [&](const osiiso::ResultPtr& result) {
    completed.add(result->name + " " + osiiso::to_string(result->status));
    if (result->name == "first") used->submit(named("second"), [] {});
  };
  ThreadQueue queue(options);
  used = &queue;
  queue.submit(named("gone"), [] {}).cancel();
  queue.submit(named("first"), [] {});
  const auto summary = queue.run();
  CHECK(summary.total_submitted == 3);
  CHECK(completed.lines() ==
        std::vector<std::string>{"gone cancelled", "first succeeded", "second succeeded"});
}

TEST_CASE("HOK-1: on_error that throws harms nobody") {
  QueueOptions options{.workers = 1};
  options.hooks.on_complete = [](const osiiso::ResultPtr&) { throw 1; };  // NOLINT
  options.hooks.on_error = [](std::exception_ptr error) { std::rethrow_exception(error); };
  ThreadQueue queue(options);
  queue.submit([] {});
  queue.submit([] {});
  CHECK(queue.run().succeeded == 2);
}

// A queue that keeps no results

TEST_CASE("a queue that keeps no results counts them, and forgets what is final") {
  Log completed;
  QueueOptions options{.workers = 2, .keep_results = false};
  std::vector<std::weak_ptr<const osiiso::TaskResult>> results;
  options.hooks.on_complete = [&](const osiiso::ResultPtr& result) {
    results.push_back(result);
    completed.add(result->name + " " + std::to_string(result->number));
  };
  ThreadQueue queue(options);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 50; ++i) queue.submit(named("good"), [] {});
    queue.submit(named("bad"), [] { throw std::runtime_error("no"); });
    queue.submit(named("gone"), [] {}).cancel();
    const auto summary = queue.run();
    CHECK(summary.total_submitted == 52);
    CHECK(summary.succeeded == 50);
    CHECK(summary.failed == 1);
    CHECK(summary.cancelled == 1);
    CHECK(summary.results.empty());
    // A worker holds what it ran last until it finds that there is nothing more.
    CHECK(std::ranges::count_if(results, [](const auto& result) { return !result.expired(); }) <=
          2);
  }
  CHECK(completed.lines().size() == 104);
  CHECK(completed.lines().front() == "gone 52");
}

TEST_CASE("needs and handles know what became of a task that was forgotten") {
  ThreadQueue queue({.workers = 1, .keep_results = false});
  const auto bad = queue.submit(named("bad"), []() -> int { throw std::runtime_error("no"); });
  queue.submit(named("unrelated"), [] {});
  queue.start();
  bad.wait();
  queue.join();
  const auto good = queue.submit(named("good"), [] { return 7; });
  TaskOptions needs_bad = named("never");
  needs_bad.needs = {bad};
  const auto never = queue.submit(needs_bad, [] {});
  CHECK(queue.run().total_submitted == 4);
  CHECK(good.value() == 7);
  CHECK(bad.status() == Status::failed);
  CHECK(never.result()->message == "needs 'bad', which failed");
}

TEST_CASE("a handle outlives its queue") {
  auto queue = std::make_unique<ThreadQueue>(QueueOptions{.workers = 1});
  const auto handle = queue->submit([] { return 3; });
  queue->run();
  queue.reset();
  CHECK(handle.value() == 3);
  CHECK(handle.wait(60s)->status == Status::succeeded);
  CHECK_FALSE(handle.cancel());
}
