// SPDX-License-Identifier: MIT
//
// What the reference implementation gets wrong ("What the reference gets wrong" in behaviour.md):
// each fault would hang or fail one of these, on every kind of queue that it concerns. Worker
// processes that outlive their parent are in process_queue_test.cpp, keys that collide in the
// checkpoint's tests.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "queue/all_queues.hpp"
#include "queue/parts.hpp"
#include "support/program.hpp"

using namespace std::chrono_literals;
using osiiso::FailPolicy;
using osiiso::QueueOptions;
using osiiso::Status;
using osiiso::TaskOptions;
using osiiso::ThreadQueue;
using osiiso::test::Gate;
using osiiso::test::messages;
using osiiso::test::named;
using osiiso::test::spared;
using osiiso::test::wait_for_stop;

namespace {

void boom() {
  throw std::runtime_error("boom");
}

void nothing() {}

void take(std::size_t /*value*/) {}

struct NotAnException {};

/// Holds a lock file until it is asked to stop and a little longer, and notes where another does.
void alone_in(std::stop_token stop, const std::string& lock) {
  const int held = ::open(lock.c_str(), O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (held < 0) std::ofstream(std::filesystem::path(lock).replace_filename("overlapped"));
  wait_for_stop(std::move(stop));
  std::this_thread::sleep_for(2ms);
  ::close(held);
  ::unlink(lock.c_str());
}

/// How often what must not hang is tried; a worker process takes its time to start.
template <typename Queue>
constexpr int rounds = std::is_same_v<Queue, osiiso::ProcessQueue> ? 20 : 200;

}  // namespace

TEST_CASE_TEMPLATE("lost wake-ups: fail_first with two workers ends, again and again", Queue,
                   OSIISO_QUEUES) {
  for (int round = 0; round < rounds<Queue>; ++round) {
    Queue queue(QueueOptions{.workers = 2, .fail_policy = FailPolicy::fail_first});
    queue.submit(boom);
    for (int i = 0; i < 5; ++i) queue.submit(nothing);
    queue.submit(boom);
    const auto summary = queue.run();
    CHECK(summary.total_submitted == 7);
    CHECK(summary.failed >= 1);
    CHECK(summary.succeeded + summary.failed + summary.cancelled == 7);
  }
}

TEST_CASE_TEMPLATE("lost wake-ups: a cancel at any moment between submission and end", Queue,
                   OSIISO_QUEUES) {
  for (int round = 0; round < rounds<Queue>; ++round) {
    Queue queue(QueueOptions{.workers = 1});
    queue.start();
    const auto handle = queue.submit(wait_for_stop);
    CHECK(handle.cancel());  // before, while or after a worker takes it over
    CHECK(handle.wait()->status == Status::cancelled);
    CHECK(queue.run().cancelled == 1);
  }
}

TEST_CASE_TEMPLATE("lost wake-ups: a task that ends its worker's work by any exception", Queue,
                   OSIISO_QUEUES) {
  Queue queue(QueueOptions{.workers = 1});
  queue.submit([] { throw NotAnException{}; });
  queue.submit(nothing);
  const auto summary = queue.run();
  CHECK(summary.failed == 1);
  CHECK(summary.succeeded == 1);
}

TEST_CASE_TEMPLATE("lost wake-ups: a hook that throws whatever it likes", Queue, OSIISO_QUEUES) {
  QueueOptions options{.workers = 2};
  options.hooks.on_start = [](const osiiso::HookTask&) { throw NotAnException{}; };
  options.hooks.on_retry = [](const osiiso::HookTask&, const osiiso::AttemptResult&) {
    throw NotAnException{};
  };
  options.hooks.on_complete = [](const osiiso::ResultPtr&) { throw NotAnException{}; };
  Queue queue(options);
  for (int i = 0; i < 20; ++i) {
    queue.submit({.retries = 1}, [](const osiiso::TaskContext& context) {
      if (context.attempt() == 1) boom();
    });
  }
  CHECK(queue.run().succeeded == 20);
}

TEST_CASE_TEMPLATE(
    "lost wake-ups: a delayed must_complete task, automatic workers and a run timeout", Queue,
    OSIISO_QUEUES) {
  Queue queue(QueueOptions{.timeout = 1s});
  TaskOptions late = spared("late");
  late.delay = 1200ms;
  queue.submit(late, nothing);
  queue.submit(named("ordinary"), wait_for_stop);
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

TEST_CASE_TEMPLATE(
    "two threads that cancel while workers run: what cancel() says is what comes of it", Queue,
    OSIISO_QUEUES) {
  constexpr std::size_t kTasks = 20'000;
  Queue queue(QueueOptions{.workers = 2});
  queue.start();
  const auto handles = queue.map(take, std::vector<std::size_t>(kTasks));
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

TEST_CASE_TEMPLATE("what ended before run() was called is in its summary", Queue, OSIISO_QUEUES) {
  Queue queue(QueueOptions{.workers = 2});
  queue.start();
  const auto handles = queue.map([](int value) { return value; }, std::vector{1, 2, 3});
  for (const auto& handle : handles) handle.wait();
  const auto cancelled = queue.submit({.delay = 1h}, nothing);
  cancelled.cancel();
  const auto summary = queue.run();
  CHECK(summary.succeeded == 3);
  CHECK(summary.cancelled == 1);
  CHECK(queue.run().total_submitted == 0);
}

TEST_CASE_TEMPLATE("an attempt that timed out does not overlap its own retry", Queue,
                   OSIISO_QUEUES) {
  // It honours its token, though late, so it is not given up: the retry waits for it.
  const osiiso::test::TemporaryFolder folder;
  Queue queue(QueueOptions{.workers = 4, .grace = 10s});
  TaskOptions options = named("slow");
  options.retries = 2;
  options.timeout = 5ms;
  const auto handle = queue.submit(options, alone_in, folder.path() + "/lock");
  queue.run();
  CHECK(handle.result()->attempts == 3);
  for (const auto& attempt : handle.result()->attempt_list()) {
    CHECK(attempt.message == "task 'slow' exceeded 0.005s timeout");
  }
  CHECK_FALSE(std::filesystem::exists(folder.path() + "/overlapped"));
}

TEST_CASE("deaf functions: no more are given up than there are workers, then they are waited for") {
  auto release = std::make_shared<Gate>();
  auto asked = std::make_shared<std::atomic<int>>(0);
  auto back = std::make_shared<std::atomic<int>>(0);
  {
    ThreadQueue queue({.workers = 1, .grace = 1ms});
    TaskOptions deaf = named("deaf");
    deaf.timeout = 1ms;
    for (int i = 0; i < 2; ++i) {
      queue.submit(deaf, [release, asked, back](std::stop_token stop) {
        wait_for_stop(std::move(stop));
        ++*asked;
        asked->notify_all();
        release->wait();
        ++*back;
        back->notify_all();
      });
    }
    const auto last = queue.submit(named("last"), [] {});
    queue.start();
    // The first is given up; the second holds the only worker until it comes back.
    while (*asked < 2) asked->wait(*asked);
    CHECK_THROWS_AS(last.wait(30ms), osiiso::TimeoutError);
    release->open();
    CHECK(last.wait()->status == Status::succeeded);
    CHECK(queue.run().failed == 2);
  }
  while (*back < 2) back->wait(*back);
}
