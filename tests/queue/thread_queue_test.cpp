// SPDX-License-Identifier: MIT
#include "osiiso/thread_queue.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "queue/parts.hpp"
#include "support/program.hpp"

using namespace std::chrono_literals;
using osiiso::Batch;
using osiiso::Command;
using osiiso::RunSummary;
using osiiso::Status;
using osiiso::TaskOptions;
using osiiso::ThreadQueue;
using osiiso::test::Gate;
using osiiso::test::Log;
using osiiso::test::messages;
using osiiso::test::named;
using osiiso::test::shared;
using osiiso::test::wait_for_stop;

TEST_CASE("a run reports every task in submission order, whoever was quickest") {
  ThreadQueue queue({.workers = 4});
  for (int i = 0; i < 100; ++i) queue.submit(named("t" + std::to_string(i)), [i] { return i; });
  const auto summary = queue.run();
  REQUIRE(summary.results.size() == 100);
  CHECK(summary.total_submitted == 100);
  CHECK(summary.succeeded == 100);
  CHECK(summary.ok());
  for (int i = 0; i < 100; ++i) {
    const auto& result = *summary.results[static_cast<std::size_t>(i)];
    CHECK(result.name == "t" + std::to_string(i));
    CHECK(std::any_cast<int>(result.value) == i);
    CHECK(result.attempts == 1);
  }
}

TEST_CASE("a queue runs again, and each summary holds only what is new") {
  ThreadQueue queue({.workers = 1});
  queue.submit(named("first"), [] {});
  CHECK(queue.run().total_submitted == 1);
  queue.submit(named("second"), [] {});
  const auto summary = queue.run();
  REQUIRE(summary.results.size() == 1);
  CHECK(summary.results[0]->name == "second");
  CHECK(queue.run().total_submitted == 0);
}

TEST_CASE("an exception arrives as it was thrown, and its text is the message") {
  ThreadQueue queue({.workers = 1});
  auto handle = queue.submit(named("a"), [] { throw std::out_of_range("no such thing"); });
  const auto summary = queue.run();
  CHECK(summary.failed == 1);
  CHECK(handle.result()->message == "no such thing");
  CHECK_THROWS_AS(std::rethrow_exception(handle.exception()), std::out_of_range);
}

TEST_CASE("a failing attempt is retried until it succeeds, and every cause is kept") {
  ThreadQueue queue({.workers = 1});
  int calls = 0;
  TaskOptions options = named("flaky");
  options.retries = 3;
  auto handle = queue.submit(options, [&] {
    if (++calls < 3) throw std::runtime_error("attempt " + std::to_string(calls));
  });
  CHECK(queue.run().ok());
  const auto result = handle.result();
  CHECK(result->attempts == 3);
  CHECK(result->message.empty());
  REQUIRE(result->attempt_list().size() == 3);
  CHECK(result->attempt_list()[0].message == "attempt 1");
  CHECK(result->attempt_list()[1].message == "attempt 2");
  CHECK(result->attempt_list()[2].message.empty());
}

TEST_CASE("a handle tells the states, and result() throws until the task is final") {
  ThreadQueue queue({.workers = 1});
  Gate started;
  Gate go_on;
  auto handle = queue.submit(named("a"), [&] {
    started.open();
    go_on.wait();
  });
  CHECK(handle.status() == Status::pending);
  CHECK_THROWS_WITH_AS(handle.result(), "result not ready", osiiso::StateError);
  std::thread runner([&] { queue.run(); });
  started.wait();
  CHECK(handle.status() == Status::running);
  CHECK(handle.attempts() == 1);
  CHECK_THROWS_WITH_AS(handle.wait(1ms), "result not ready", osiiso::TimeoutError);
  go_on.open();
  CHECK(handle.wait()->status == Status::succeeded);
  runner.join();
  CHECK(handle.done());
  CHECK(handle.task_id().size() == 32);
  CHECK(handle.task_id() == handle.result()->task_id);
}

TEST_CASE("CAN-1: cancelling a pending, a running and a finished task") {
  ThreadQueue queue({.workers = 1});
  Gate started;
  auto done = queue.submit(named("done"), [] {});
  auto running = queue.submit(named("running"), [&](std::stop_token stop) {
    started.open();
    wait_for_stop(stop);
  });
  auto pending = queue.submit(named("pending"), [] {});
  std::thread runner([&] { queue.run(); });
  started.wait();
  CHECK_FALSE(done.cancel());
  CHECK(pending.cancel());
  CHECK(pending.result()->message == "cancelled before execution");
  CHECK(pending.result()->attempts == 0);
  CHECK_FALSE(pending.result()->started_at.has_value());
  CHECK(pending.result()->duration == 0ns);
  CHECK(running.cancel());
  CHECK(running.wait()->message == "cancelled");
  CHECK_FALSE(running.cancel());
  runner.join();
}

TEST_CASE("TMO-2: a function that honours its stop token fails with the timeout's text") {
  ThreadQueue queue({.workers = 1});
  TaskOptions options = named("slow");
  options.timeout = 20ms;
  auto handle = queue.submit(options, [](std::stop_token stop) { wait_for_stop(stop); });
  CHECK(queue.run().failed == 1);
  CHECK(handle.result()->message == "task 'slow' exceeded 0.02s timeout");
  CHECK_THROWS_AS(std::rethrow_exception(handle.exception()), osiiso::AttemptTimeoutError);
}

TEST_CASE("a request to stop is heard by the attempt that it is for, and by no other") {
  ThreadQueue queue({.workers = 1});
  std::stop_token of_first;
  auto first = queue.submit(named("first"), [&](std::stop_token stop) { of_first = stop; });
  Gate started;
  auto second = queue.submit(named("second"), [&](std::stop_token stop) {
    started.open();
    wait_for_stop(std::move(stop));
  });
  bool third_was_asked = true;
  auto third = queue.submit(named("third"), [&](const osiiso::TaskContext& context) {
    third_was_asked = context.stop_token().stop_requested();
  });
  std::thread runner([&] { queue.run(); });
  started.wait();
  CHECK(second.cancel());
  runner.join();
  CHECK(first.result()->status == Status::succeeded);
  CHECK(second.result()->status == Status::cancelled);
  CHECK(third.result()->status == Status::succeeded);
  CHECK_FALSE(of_first.stop_requested());
  CHECK_FALSE(third_was_asked);
}

TEST_CASE("TMO-2: a deaf function is given up after its grace and its worker replaced") {
  auto release = std::make_shared<Gate>();
  auto returned = std::make_shared<Gate>();
  {
    ThreadQueue queue({.workers = 1, .grace = 20ms});
    TaskOptions options = named("deaf");
    options.timeout = 20ms;
    queue.submit(options, [release, returned] {
      release->wait();
      returned->open();
    });
    queue.submit(named("next"), [] {});
    const auto summary = queue.run();
    CHECK(messages(summary) ==
          std::vector<std::string>{"deaf: task 'deaf' exceeded 0.02s timeout", "next: "});
  }
  // The queue is gone; its abandoned thread may still come back.
  release->open();
  returned->wait();
}

TEST_CASE("fail_first cancels ordinary tasks and spares must_complete ones") {
  ThreadQueue queue({.workers = 1, .fail_policy = osiiso::FailPolicy::fail_first});
  queue.submit(named("bad"), [] { throw std::runtime_error("boom"); });
  queue.submit(named("ordinary"), [] {});
  TaskOptions spared = named("spared");
  spared.must_complete = true;
  queue.submit(spared, [] {});
  CHECK(messages(queue.run()) ==
        std::vector<std::string>{"bad: boom", "ordinary: cancelled before execution", "spared: "});
}

TEST_CASE("RUN-2: the run's timeout cancels what is ordinary and reports it") {
  ThreadQueue queue({.workers = 1, .timeout = 1s});
  queue.submit(named("stuck"), [](std::stop_token stop) { wait_for_stop(stop); });
  queue.submit(named("later"), [] {});
  const auto summary = queue.run();
  CHECK(summary.timed_out);
  CHECK(std::string(summary.status()) == "TIMED OUT");
  CHECK(messages(summary) ==
        std::vector<std::string>{"stuck: cancelled", "later: cancelled before execution"});
}

TEST_CASE("RUN-1: an infinite run ends at its timeout, however idle it is") {
  ThreadQueue queue({.workers = 1, .timeout = 1s, .mode = osiiso::Mode::infinite});
  queue.submit(named("a"), [] {});
  const auto summary = queue.run();
  CHECK(summary.timed_out);
  CHECK(summary.succeeded == 1);
}

TEST_CASE("a delayed task holds no worker") {
  Log log;
  ThreadQueue queue({.workers = 1});
  TaskOptions later = named("later");
  later.delay = 1s;
  queue.submit(later, [&] { log.add("later"); });
  queue.submit(named("now"), [&] { log.add("now"); });
  CHECK(queue.run().ok());
  CHECK(log.lines() == std::vector<std::string>{"now", "later"});
}

TEST_CASE("SUB-4: a task submits tasks, and the run waits for them") {
  ThreadQueue queue({.workers = 2});
  queue.submit(named("outer"), [&] { queue.submit(named("inner"), [] {}); });
  CHECK(queue.run().succeeded == 2);
}

TEST_CASE("SIZ-1: a bounded queue starts its workers instead of blocking for ever") {
  ThreadQueue queue({.workers = 2, .size = 3});
  for (int i = 0; i < 50; ++i) queue.submit(named("t"), [] {});
  const auto summary = queue.run();
  CHECK(summary.succeeded == 50);
}

TEST_CASE("a batch that is larger than the queue's size is admitted as room appears") {
  ThreadQueue queue({.workers = 2, .size = 2});
  Batch batch;
  const auto first = batch.add("needs the last", shared({}), [] {});
  for (int i = 0; i < 20; ++i) batch.add("t", shared({}), [] {});
  const auto last = batch.add("last", shared({}), [] {});
  batch.need(first, last);
  queue.submit(std::move(batch));
  CHECK(queue.run().succeeded == 22);
}

TEST_CASE("NEE-1: a task starts after what it needs, and is cancelled when that fails") {
  for (const int workers : {1, 8}) {
    CAPTURE(workers);
    Log log;
    ThreadQueue queue({.workers = workers});
    Batch batch;
    const auto a = batch.add_group({.group_id = "a"});
    const auto b = batch.add_group({.group_id = "b"});
    const auto c = batch.add_group({.group_id = "c"});
    for (const char* name : {"b1", "b2"})
      batch.add(
          name, shared({}), [&, name] { log.add(name); }, b);
    for (const char* name : {"a1", "a2"})
      batch.add(
          name, shared({}), [&, name] { log.add(name); }, a);
    batch.add(
        "c1", shared({}), [&] { log.add("c1"); }, c);
    batch.add(
        "bad", shared({}), [] { throw std::runtime_error("boom"); }, b);
    batch.add_finally(
        "end of b", shared({}), [&] { log.add("end of b"); }, b);
    batch.add_finally("end", shared({}), [&] { log.add("end"); });
    batch.need(b, a);
    batch.need(c, b);
    queue.submit(std::move(batch));
    const auto summary = queue.run();
    const auto names = log.lines();
    REQUIRE(names.size() == 6);
    CHECK(names[0].starts_with("a"));
    CHECK(names[1].starts_with("a"));
    CHECK(names[4] == "end of b");
    CHECK(names[5] == "end");
    CHECK(summary.by_name().at("c1")[0]->message == "needs 'b', which failed");
    CHECK(summary.by_name().at("c1")[0]->status == Status::cancelled);
  }
}

TEST_CASE("a batch with a cycle is refused whole") {
  ThreadQueue queue({.workers = 1});
  Batch batch;
  const auto x = batch.add("x", shared({}), [] {});
  const auto y = batch.add("y", shared({}), [] {});
  batch.need(x, y);
  batch.need(y, x);
  CHECK_THROWS_AS(queue.submit(std::move(batch)), osiiso::OptionError);
  CHECK(queue.run().total_submitted == 0);
}

TEST_CASE("a group's workers bound how many of it run at once") {
  ThreadQueue queue({.workers = 8});
  std::atomic<int> now = 0;
  std::atomic<int> most = 0;
  Batch batch;
  const auto group = batch.add_group({.group_id = "g", .workers = 2});
  for (int i = 0; i < 40; ++i) {
    batch.add(
        "t", shared({}),
        [&] {
          int seen = most;
          const int running = ++now;
          while (running > seen && !most.compare_exchange_weak(seen, running)) {
          }
          std::this_thread::yield();
          --now;
        },
        group);
  }
  queue.submit(std::move(batch));
  CHECK(queue.run().succeeded == 40);
  CHECK(most <= 2);
}

TEST_CASE("halt() ends a run early and spares must_complete and finally tasks") {
  ThreadQueue queue({.workers = 1});
  Gate started;
  Batch batch;
  batch.add("running", shared({}), [&](std::stop_token stop) {
    started.open();
    wait_for_stop(stop);
  });
  batch.add("ordinary", shared({}), [] {});
  TaskOptions spared;
  spared.must_complete = true;
  batch.add("spared", shared(spared), [] {});
  batch.add_finally("end", shared({}), [] {});
  queue.submit(std::move(batch));
  std::thread stopper([&] {
    started.wait();
    queue.halt();
  });
  CHECK(messages(queue.run()) == std::vector<std::string>{"running: cancelled",
                                                          "ordinary: cancelled before execution",
                                                          "spared: ", "end: "});
  stopper.join();
}

TEST_CASE("kill() spares nothing") {
  ThreadQueue queue({.workers = 1});
  Gate started;
  TaskOptions spared = named("spared");
  spared.must_complete = true;
  queue.submit(spared, [&](std::stop_token stop) {
    started.open();
    wait_for_stop(stop);
  });
  queue.submit(spared, [] {});
  std::thread stopper([&] {
    started.wait();
    queue.halt();
    queue.kill();
  });
  CHECK(queue.run().cancelled == 2);
  stopper.join();
}

TEST_CASE("a closed queue says so") {
  ThreadQueue queue({.workers = 1});
  auto handle = queue.submit(named("a"), [] {});
  queue.shutdown();
  CHECK(handle.result()->status == Status::succeeded);
  CHECK_THROWS_WITH_AS(queue.submit({}, [] {}), "queue is not accepting tasks",
                       osiiso::ClosedError);
  CHECK_THROWS_WITH_AS(queue.run(), "queue has been shut down", osiiso::ClosedError);
  queue.shutdown();
}

TEST_CASE("SHU-1: a task cannot wait for its own queue to shut down") {
  ThreadQueue queue({.workers = 1});
  auto handle = queue.submit(named("a"), [&] { queue.shutdown(); });
  queue.run();
  CHECK_THROWS_AS(std::rethrow_exception(handle.exception()), osiiso::StateError);
}

TEST_CASE("the end of a queue's scope finishes what is outstanding") {
  std::atomic<int> ran = 0;
  {
    ThreadQueue queue({.workers = 2});
    for (int i = 0; i < 10; ++i) queue.submit({}, [&] { ++ran; });
  }
  CHECK(ran == 10);
}

TEST_CASE("an exception that leaves a queue's scope cancels what is outstanding") {
  std::atomic<int> ran = 0;
  try {
    ThreadQueue queue({.workers = 2});
    for (int i = 0; i < 10; ++i) queue.submit({}, [&] { ++ran; });
    throw std::runtime_error("leaving");
  } catch (const std::runtime_error&) {
  }
  CHECK(ran == 0);
}

TEST_CASE("SUB-6: what cannot be called is refused at submission") {
  ThreadQueue queue({.workers = 1});
  void (*nothing)() = nullptr;
  CHECK_THROWS_AS(queue.submit({}, nothing), osiiso::OptionError);
  CHECK_THROWS_AS(queue.submit({}, std::function<void()>()), osiiso::OptionError);
  Batch batch;
  batch.add("fine", shared({}), [] {});
  batch.add("empty", shared({}), osiiso::TaskBody());
  CHECK_THROWS_AS(queue.submit(std::move(batch)), osiiso::OptionError);
  CHECK(queue.run().total_submitted == 0);
}

TEST_CASE("a halt that comes before the run holds for it") {
  ThreadQueue queue({.workers = 1});
  auto handle = queue.submit({}, [] {});
  queue.halt();
  CHECK(queue.run().cancelled == 1);
  CHECK(handle.result()->message == "cancelled before execution");
  queue.submit({}, [] {});
  CHECK(queue.run().succeeded == 1);
}

TEST_CASE("a server that is kept lives until the run ends") {
  ThreadQueue queue({.workers = 1});
  auto settings = std::make_shared<osiiso::CommandSettings>();
  settings->leak = osiiso::Leak::keep;
  Batch batch;
  // To grep, NUL ends a line: the text of the shell must not begin with "sleep".
  const auto server =
      batch.add("server", shared({}),
                Command::shell(":; sleep 76512 & until grep -q ^sleep /proc/$!/cmdline; do :; done",
                               settings));
  const auto user = batch.add("user", shared({}), Command::shell("pgrep -f 'sleep 7651[2]'"));
  batch.need(user, server);
  queue.submit(std::move(batch));
  CHECK(queue.run().ok());
  CHECK(osiiso::test::count_processes("76512") == 0);
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
  ThreadQueue queue(options);
  int calls = 0;
  TaskOptions flaky = named("flaky");
  flaky.retries = 1;
  queue.submit(flaky, [&] {
    log.add("body");
    if (++calls == 1) throw std::runtime_error("boom");
  });
  CHECK(queue.run().ok());
  CHECK(log.lines() == std::vector<std::string>{"start flaky 1", "error", "body",
                                                "retry flaky 1 boom", "start flaky 2", "error",
                                                "body", "complete flaky"});
}

TEST_CASE(
    "WRK-2: an initializer that fails ends the run with its error, and the next run tries again") {
  osiiso::QueueOptions options{.workers = 1};
  int calls = 0;
  options.initializer = [&] {
    if (++calls == 1) throw std::out_of_range("no licence");
  };
  ThreadQueue queue(options);
  auto handle = queue.submit({}, [] {});
  CHECK_THROWS_AS(queue.run(), std::out_of_range);
  CHECK(handle.result()->status == Status::cancelled);
  queue.submit({}, [] {});
  queue.submit({}, [] {});
  CHECK(queue.run().succeeded == 2);
  CHECK(calls == 2);
}

TEST_CASE("a run inside a run is refused") {
  ThreadQueue queue({.workers = 1});
  auto handle = queue.submit({}, [&] { queue.run(); });
  queue.run();
  CHECK(handle.result()->message == "run() is already in progress");
}

TEST_CASE("strict runs throw what is wrong") {
  ThreadQueue queue({.workers = 1});
  queue.submit({}, [] { throw std::runtime_error("boom"); });
  CHECK_THROWS_WITH_AS(queue.run({}, true), "1 task(s) failed", osiiso::ExecutionError);
}

TEST_CASE("commands are tasks like any other") {
  ThreadQueue queue({.workers = 2});
  auto good = queue.submit(named("good"), Command::shell("echo out; echo err >&2"));
  auto bad = queue.submit(named("bad"), Command::shell("echo Connection refused >&2; exit 7"));
  auto missing = queue.submit({}, Command::argv({"/no/such/program"}));
  const auto summary = queue.run();
  CHECK(summary.succeeded == 1);
  CHECK(summary.failed == 2);
  CHECK(good.result()->output->stdout_text == "out\n");
  CHECK(good.result()->output->stderr_text == "err\n");
  CHECK(bad.result()->message == "Connection refused");
  CHECK(bad.result()->attempt_list()[0].exit_code == 7);
  CHECK(missing.result()->message == "cannot run '/no/such/program': No such file or directory");
  CHECK(missing.result()->attempt_list()[0].cause == osiiso::Cause::spawn);
}

TEST_CASE("a command that passes its timeout is stopped, and what it printed is kept") {
  ThreadQueue queue({.workers = 1});
  TaskOptions options = named("slow");
  options.timeout = 1s;
  auto handle = queue.submit(options, Command::shell("echo so far; sleep 1000 & sleep 1000"));
  const auto summary = queue.run();
  CHECK(handle.result()->message == "task 'slow' exceeded 1s timeout");
  REQUIRE(handle.result()->output != nullptr);
  CHECK(handle.result()->output->stdout_text == "so far\n");
}

TEST_CASE("retry_on decides which failures are tried again") {
  ThreadQueue queue({.workers = 1});
  TaskOptions options;
  options.retries = 2;
  options.retry_on = {.causes = {}, .exit_codes = {75}};
  auto again = queue.submit(options, Command::shell("exit 75"));
  auto once = queue.submit(options, Command::shell("exit 1"));
  queue.run();
  CHECK(again.result()->attempts == 3);
  CHECK(once.result()->attempts == 1);
}
