// SPDX-License-Identifier: MIT
//
// A test for each row of the tables that describe handles, groups, results and summaries, named
// after the row, on every kind of queue. What a task does here, all of them can do: no captures,
// plain values.
#include <chrono>
#include <exception>
#include <iterator>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "queue/all_queues.hpp"
#include "queue/parts.hpp"

using namespace std::chrono_literals;
using osiiso::ExecutionError;
using osiiso::QueueOptions;
using osiiso::ResultPtr;
using osiiso::Status;
using osiiso::TaskOptions;
using osiiso::test::named;

namespace {

int twice(int value) {
  return 2 * value;
}

int refuse(int value) {
  throw std::out_of_range("no " + std::to_string(value));
}

void nothing() {}

int fail_once(const osiiso::TaskContext& context, int value) {
  if (context.attempt() == 1) throw std::runtime_error("not yet");
  return value;
}

void until_stopped(std::stop_token stop) {
  osiiso::test::wait_for_stop(std::move(stop));
}

bool is_hex_id(const std::string& text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::vector<std::string> names(const osiiso::ResultList& results) {
  std::vector<std::string> found;
  for (const auto& result : results) found.push_back(result->name);
  return found;
}

using Names = std::vector<std::string>;

template <typename Queue, typename Function>
struct HandleTo;
template <typename Queue, typename R, typename... Args>
struct HandleTo<Queue, R(Args...)> {
  using type = decltype(std::declval<Queue&>().submit(std::declval<R (*)(Args...)>(),
                                                      std::declval<Args>()...));
};
/// What a queue gives for a call of such a function.
template <typename Queue, typename Function>
using HandleOf = typename HandleTo<Queue, Function>::type;

/// A queue that has run one task of each ending, and the handles to them.
template <typename Queue>
struct Ended {
  Queue queue{QueueOptions{.workers = 1}};
  HandleOf<Queue, int(int)> good = queue.submit(named("good"), twice, 21);
  HandleOf<Queue, int(int)> bad = queue.submit(named("bad"), refuse, 7);
  HandleOf<Queue, void()> gone = queue.submit(named("gone"), nothing);
  osiiso::RunSummary summary = run();

  osiiso::RunSummary run() {
    gone.cancel();
    return queue.run();
  }
};

/// The same in groups, with a task in none.
template <typename Queue>
osiiso::RunSummary grouped_run() {
  Queue queue(QueueOptions{.workers = 1});
  queue.submit({.name = "x", .group_id = "b"}, twice, 1);
  queue.submit(named("x"), twice, 2);
  queue.submit({.name = "y", .group_id = "a"}, refuse, 3);
  queue.submit({.name = "z", .group_id = "b"}, twice, 4);
  return queue.run();
}

}  // namespace

// Handles

TEST_CASE_TEMPLATE("handle.wait(timeout): the result, or an error in time", Queue, OSIISO_QUEUES) {
  Queue queue(QueueOptions{.workers = 1});
  const auto handle = queue.submit(twice, 4);
  CHECK_THROWS_WITH_AS(handle.wait(1ms), "result not ready", osiiso::TimeoutError);
  CHECK_THROWS_AS(handle.wait(0s), osiiso::TimeoutError);
  CHECK_THROWS_AS(handle.wait(-1s), osiiso::TimeoutError);
  CHECK(handle.status() == Status::pending);  // waiting starts nothing
  queue.start();
  const ResultPtr result = handle.wait();
  CHECK(std::any_cast<int>(result->value) == 8);
  CHECK(handle.wait(osiiso::Duration::max()) == result);
}

TEST_CASE_TEMPLATE("handle.result(): an error until the task is final", Queue, OSIISO_QUEUES) {
  Queue queue(QueueOptions{.workers = 1});
  const auto handle = queue.submit(twice, 4);
  CHECK_THROWS_WITH_AS(handle.result(), "result not ready", osiiso::StateError);
  queue.run();
  CHECK(handle.result()->status == Status::succeeded);
}

TEST_CASE_TEMPLATE("handle.value(): the value, what was thrown, or the cancellation", Queue,
                   OSIISO_QUEUES) {
  const Ended<Queue> ended;
  static_assert(std::is_same_v<decltype(ended.good.value()), int>);
  static_assert(std::is_void_v<decltype(ended.gone.value())>);
  CHECK(ended.good.value() == 42);
  CHECK_THROWS_WITH(ended.bad.value(), "no 7");
  CHECK_THROWS_WITH_AS(ended.gone.value(), "task 'gone': cancelled before execution",
                       osiiso::CancelledError);
  Queue idle;
  CHECK_THROWS_WITH_AS(idle.submit(twice, 1).value(), "result not ready", osiiso::StateError);
}

TEST_CASE_TEMPLATE("handle.cancel(): true until the task is final", Queue, OSIISO_QUEUES) {
  Queue queue(QueueOptions{.workers = 1});
  const auto handle = queue.submit(twice, 4);
  CHECK(handle.cancel());
  CHECK_FALSE(handle.cancel());
  CHECK(queue.run().cancelled == 1);
  const Ended<Queue> ended;
  CHECK_FALSE(ended.good.cancel());
  CHECK_FALSE(ended.bad.cancel());
}

TEST_CASE_TEMPLATE("handle.done(): whether there is a final result", Queue, OSIISO_QUEUES) {
  Queue queue(QueueOptions{.workers = 1});
  const auto handle = queue.submit(refuse, 4);
  CHECK_FALSE(handle.done());
  queue.run();
  CHECK(handle.done());
}

TEST_CASE_TEMPLATE("handle.cancelled()", Queue, OSIISO_QUEUES) {
  const Ended<Queue> ended;
  CHECK(ended.gone.cancelled());
  CHECK_FALSE(ended.good.cancelled());
  CHECK_FALSE(ended.bad.cancelled());
}

TEST_CASE_TEMPLATE("handle.exception(): what was thrown, or none", Queue, OSIISO_QUEUES) {
  const Ended<Queue> ended;
  CHECK(ended.good.exception() == nullptr);
  CHECK(ended.gone.exception() == nullptr);
  REQUIRE(ended.bad.exception() != nullptr);
  CHECK_THROWS_WITH(std::rethrow_exception(ended.bad.exception()), "no 7");
  Queue idle;
  CHECK_THROWS_AS(idle.submit(twice, 1).exception(), osiiso::StateError);
}

TEST_CASE_TEMPLATE("handle.status(): pending, running, retrying and the three ends", Queue,
                   OSIISO_QUEUES) {
  const Ended<Queue> ended;
  CHECK(ended.good.status() == Status::succeeded);
  CHECK(ended.bad.status() == Status::failed);
  CHECK(ended.gone.status() == Status::cancelled);
  CHECK(osiiso::to_string(Status::pending) == std::string("pending"));
  CHECK(osiiso::to_string(Status::running) == std::string("running"));
  CHECK(osiiso::to_string(Status::retrying) == std::string("retrying"));
  CHECK(osiiso::to_string(Status::succeeded) == std::string("succeeded"));
  CHECK(osiiso::to_string(Status::failed) == std::string("failed"));
  CHECK(osiiso::to_string(Status::cancelled) == std::string("cancelled"));

  osiiso::test::Gate started;
  osiiso::test::Gate failed;
  QueueOptions options{.workers = 1};
  options.hooks.on_start = [&](const osiiso::HookTask&) { started.open(); };
  options.hooks.on_retry = [&](const osiiso::HookTask&, const osiiso::AttemptResult&) {
    failed.open();
  };
  Queue queue(options);
  const auto running = queue.submit(until_stopped);
  CHECK(running.status() == Status::pending);
  queue.start();
  started.wait();
  CHECK(running.status() == Status::running);
  running.cancel();
  const auto retrying = queue.submit({.retries = 1, .retry_delay = 1h}, fail_once, 1);
  failed.wait();
  CHECK(retrying.status() == Status::retrying);
  CHECK(retrying.cancel());
  CHECK(retrying.result()->message == "cancelled");
  CHECK(retrying.attempts() == 1);
}

TEST_CASE_TEMPLATE("handle.attempts(): those that were started", Queue, OSIISO_QUEUES) {
  Queue queue(QueueOptions{.workers = 1});
  const auto twice_tried = queue.submit({.retries = 3}, fail_once, 1);
  const auto never = queue.submit(twice, 1);
  CHECK(twice_tried.attempts() == 0);
  never.cancel();
  queue.run();
  CHECK(twice_tried.attempts() == 2);
  CHECK(never.attempts() == 0);
}

TEST_CASE_TEMPLATE("handle.task_id(): 32 hex digits, the result's, unlike all others", Queue,
                   OSIISO_QUEUES) {
  const Ended<Queue> ended;
  CHECK(is_hex_id(ended.good.task_id()));
  CHECK(ended.good.task_id() == ended.good.result()->task_id);
  CHECK(ended.gone.task_id() == ended.gone.result()->task_id);
  CHECK(ended.good.task_id() != ended.bad.task_id());
  const Ended<Queue> other;
  CHECK(ended.good.task_id() != other.good.task_id());
}

TEST_CASE_TEMPLATE("handle.name(): the option, else derived; before and after the end", Queue,
                   OSIISO_QUEUES) {
  Queue queue(QueueOptions{.workers = 1});
  const auto named_one = queue.submit(named("fetch"), twice, 1);
  const auto unnamed = queue.submit(twice, 1);
  CHECK(named_one.name() == "fetch");
  CHECK_FALSE(unnamed.name().empty());
  queue.run();
  CHECK(named_one.name() == "fetch");
  CHECK(unnamed.name() == unnamed.result()->name);
}

// Groups

TEST_CASE_TEMPLATE("group.group_id: given, else group-<n>", Queue, OSIISO_QUEUES) {
  Queue queue(QueueOptions{.workers = 1});
  CHECK(queue.group({.group_id = "api"}, twice, std::vector{1}).group_id() == "api");
  const auto unnamed = queue.group(twice, std::vector{1, 2});
  const auto next = queue.group(twice, std::vector{1});
  CHECK(unnamed.group_id().starts_with("group-"));
  CHECK(next.group_id().starts_with("group-"));
  CHECK(unnamed.group_id() != next.group_id());
  queue.run();
  CHECK(unnamed.handles()[0].result()->group_id == unnamed.group_id());
}

TEST_CASE_TEMPLATE("group.handles: in submission order", Queue, OSIISO_QUEUES) {
  Queue queue(QueueOptions{.workers = 2});
  const auto group = queue.group(twice, std::vector{1, 2, 3});
  queue.run();
  REQUIRE(group.handles().size() == 3);
  for (int i = 0; i < 3; ++i) {
    const auto result = group.handles()[static_cast<std::size_t>(i)].result();
    CHECK(std::any_cast<int>(result->value) == 2 * (i + 1));
  }
}

TEST_CASE_TEMPLATE("len(group), iter(group)", Queue, OSIISO_QUEUES) {
  Queue queue(QueueOptions{.workers = 1});
  const auto group = queue.group(twice, std::vector{1, 2, 3});
  CHECK(group.size() == 3);
  Names ids;
  for (const auto& handle : group) ids.push_back(handle.task_id());
  CHECK(ids.size() == 3);
  CHECK(ids[0] == group.handles()[0].task_id());
}

TEST_CASE_TEMPLATE("group.wait(timeout): a summary, detached members included", Queue,
                   OSIISO_QUEUES) {
  Queue queue(QueueOptions{.workers = 1});
  TaskOptions detached;
  detached.detached = true;
  const auto group = queue.group(detached, twice, std::vector{1, 2});
  CHECK_THROWS_WITH_AS(group.wait(1ms), "result not ready", osiiso::TimeoutError);
  CHECK(queue.run().total_submitted == 0);
  const auto summary = group.wait(10s);
  CHECK(summary.total_submitted == 2);
  CHECK(summary.succeeded == 2);
  CHECK_FALSE(summary.timed_out);
}

TEST_CASE_TEMPLATE("group.values(): all values, or an error", Queue, OSIISO_QUEUES) {
  Queue queue(QueueOptions{.workers = 1});
  const auto good = queue.group(twice, std::vector{1, 2});
  const auto bad = queue.group(refuse, std::vector{1, 2});
  const auto gone = queue.group(twice, std::vector{1});
  CHECK_THROWS_AS(good.values(), osiiso::StateError);
  gone.cancel();
  queue.run();
  CHECK(good.values() == std::vector{2, 4});
  CHECK_THROWS_WITH_AS(bad.values(), "2 task(s) failed", ExecutionError);
  CHECK_THROWS_WITH_AS(gone.values(), "1 task(s) cancelled", ExecutionError);
}

TEST_CASE_TEMPLATE("group.cancel(): how many were cancelled", Queue, OSIISO_QUEUES) {
  Queue queue(QueueOptions{.workers = 1});
  const auto group = queue.group(twice, std::vector{1, 2, 3});
  group.handles()[1].cancel();
  CHECK(group.cancel() == 2);
  CHECK(group.cancel() == 0);
  CHECK(queue.run().cancelled == 3);
}

TEST_CASE_TEMPLATE("group.as_completed(): each member as it ends", Queue, OSIISO_QUEUES) {
  Queue queue(QueueOptions{.workers = 1});
  const auto group = queue.group(twice, std::vector{1, 2, 3});
  queue.start();
  int sum = 0;
  for (const auto& handle : group.as_completed(10s))
    sum += std::any_cast<int>(handle.result()->value);
  CHECK(sum == 12);
}

// Results

TEST_CASE_TEMPLATE("TaskResult: task_id, name, status, value, exception, message", Queue,
                   OSIISO_QUEUES) {
  const Ended<Queue> ended;
  const auto good = ended.good.result();
  CHECK(is_hex_id(good->task_id));
  CHECK(good->name == "good");
  CHECK(good->status == Status::succeeded);
  CHECK(std::any_cast<int>(good->value) == 42);
  CHECK(good->exception == nullptr);
  CHECK(good->message.empty());

  const auto bad = ended.bad.result();
  CHECK(bad->status == Status::failed);
  CHECK_FALSE(bad->value.has_value());
  CHECK(bad->exception != nullptr);
  CHECK(bad->message == "no 7");

  const auto gone = ended.gone.result();
  CHECK(gone->status == Status::cancelled);
  CHECK_FALSE(gone->value.has_value());
  CHECK(gone->exception == nullptr);
  CHECK(gone->message == "cancelled before execution");
}

TEST_CASE_TEMPLATE("TaskResult: attempts", Queue, OSIISO_QUEUES) {
  Queue queue(QueueOptions{.workers = 1});
  const auto handle = queue.submit({.retries = 1}, fail_once, 5);
  const auto failing = queue.submit({.retries = 2}, refuse, 5);
  queue.run();
  CHECK(handle.result()->attempts == 2);
  CHECK(handle.result()->message.empty());
  CHECK(handle.result()->exception == nullptr);
  CHECK(handle.value() == 5);
  CHECK(failing.result()->attempts == 3);
  CHECK(failing.result()->attempt_list().size() == 3);
}

TEST_CASE_TEMPLATE("TaskResult: priority, must_complete, group_id, detached, metadata", Queue,
                   OSIISO_QUEUES) {
  Queue queue(QueueOptions{.workers = 1});
  const auto metadata = std::make_shared<const nlohmann::json>(nlohmann::json{{"key", 1}});
  const auto special = queue.submit({.group_id = "g",
                                     .priority = -2,
                                     .must_complete = true,
                                     .detached = true,
                                     .metadata = metadata},
                                    twice, 1);
  const auto plain = queue.submit(twice, 1);
  queue.run();
  CHECK(special.result()->priority == -2);
  CHECK(special.result()->must_complete);
  CHECK(special.result()->group_id == "g");
  CHECK(special.result()->detached);
  CHECK(special.result()->metadata == metadata);
  CHECK(plain.result()->priority == 3);
  CHECK_FALSE(plain.result()->must_complete);
  CHECK(plain.result()->group_id.empty());
  CHECK_FALSE(plain.result()->detached);
  CHECK(plain.result()->metadata == nullptr);
}

TEST_CASE_TEMPLATE("TaskResult: created_at, started_at, finished_at, duration", Queue,
                   OSIISO_QUEUES) {
  Queue queue(QueueOptions{.workers = 1});
  const auto early = queue.submit({.delay = 10ms}, twice, 1);
  const auto never = queue.submit(twice, 1);
  never.cancel();
  queue.run();
  const auto result = early.result();
  REQUIRE(result->started_at.has_value());
  CHECK(result->created_at == 0ns);  // before the run
  CHECK(*result->started_at >= result->created_at);
  CHECK(result->finished_at >= *result->started_at);
  CHECK(result->duration == result->finished_at - *result->started_at);
  CHECK_FALSE(never.result()->started_at.has_value());
  CHECK(never.result()->duration == 0ns);
}

// Summaries

TEST_CASE_TEMPLATE("RunSummary: total_submitted, succeeded, failed, cancelled, ok", Queue,
                   OSIISO_QUEUES) {
  const Ended<Queue> ended;
  CHECK(ended.summary.total_submitted == 3);
  CHECK(ended.summary.succeeded == 1);
  CHECK(ended.summary.failed == 1);
  CHECK(ended.summary.cancelled == 1);
  CHECK_FALSE(ended.summary.ok());
  Queue queue;
  CHECK(queue.run().ok());  // an empty run
  queue.submit(twice, 1);
  CHECK(queue.run().ok());
}

TEST_CASE_TEMPLATE("RunSummary: timed_out, duration", Queue, OSIISO_QUEUES) {
  Queue queue(QueueOptions{.workers = 1, .grace = 10s});
  queue.submit(until_stopped);
  const auto summary = queue.run(20ms);
  CHECK(summary.timed_out);
  CHECK_FALSE(summary.ok());
  CHECK(summary.duration >= 20ms);
  const Ended<Queue> ended;
  CHECK_FALSE(ended.summary.timed_out);
  CHECK(ended.summary.duration > 0s);
}

TEST_CASE_TEMPLATE("RunSummary: values of the succeeded, in result order", Queue, OSIISO_QUEUES) {
  const auto summary = grouped_run<Queue>();
  std::vector<int> values;
  for (const auto& value : summary.values()) values.push_back(std::any_cast<int>(value));
  CHECK(values == std::vector{2, 4, 8});
}

TEST_CASE_TEMPLATE("RunSummary: errors, results, successes(), cancellations()", Queue,
                   OSIISO_QUEUES) {
  const Ended<Queue> ended;
  CHECK(names(ended.summary.errors()) == Names{"bad"});
  CHECK(names(ended.summary.results) == Names{"good", "bad", "gone"});
  CHECK(names(ended.summary.successes()) == Names{"good"});
  CHECK(names(ended.summary.cancellations()) == Names{"gone"});
  CHECK(ended.summary.results[0] == ended.good.result());
}

TEST_CASE_TEMPLATE("RunSummary: by_task_id()", Queue, OSIISO_QUEUES) {
  const Ended<Queue> ended;
  const auto by_task_id = ended.summary.by_task_id();
  CHECK(by_task_id.size() == 3);
  CHECK(by_task_id.at(ended.bad.task_id()) == ended.bad.result());
}

TEST_CASE_TEMPLATE("RunSummary: by_name()", Queue, OSIISO_QUEUES) {
  const auto by_name = grouped_run<Queue>().by_name();
  CHECK(by_name.size() == 3);
  CHECK(by_name.at("x").size() == 2);
  CHECK(by_name.at("y").size() == 1);
}

TEST_CASE_TEMPLATE("RunSummary: by_group(), in order of first appearance", Queue, OSIISO_QUEUES) {
  const auto by_group = grouped_run<Queue>().by_group();
  REQUIRE(by_group.size() == 3);
  CHECK(by_group[0].first == "b");
  CHECK(names(by_group[0].second) == Names{"x", "z"});
  CHECK_FALSE(by_group[1].first.has_value());
  CHECK(names(by_group[1].second) == Names{"x"});
  CHECK(by_group[2].first == "a");
}

TEST_CASE_TEMPLATE("RunSummary: raise_for_errors()", Queue, OSIISO_QUEUES) {
  const Ended<Queue> ended;
  CHECK_THROWS_WITH_AS(ended.summary.raise_for_errors(), "1 task(s) failed", ExecutionError);
  try {
    ended.summary.raise_for_errors(true);
    FAIL("it did not throw");
  } catch (const ExecutionError& error) {
    CHECK(std::string(error.what()) == "1 task(s) failed; 1 task(s) cancelled");
    CHECK(names(error.results()) == Names{"bad", "gone"});
  }
  Queue queue;
  CHECK_NOTHROW(queue.run().raise_for_errors(true));
}

TEST_CASE_TEMPLATE("run(strict): throws unless ok", Queue, OSIISO_QUEUES) {
  Queue queue(QueueOptions{.workers = 1});
  queue.submit(refuse, 1);
  CHECK_THROWS_WITH_AS(queue.run({}, true), "1 task(s) failed", ExecutionError);
  queue.submit(twice, 1);
  CHECK(queue.run({}, true).ok());
  Queue other(QueueOptions{.workers = 1});
  other.submit(twice, 1).cancel();
  CHECK_THROWS_WITH_AS(other.run({}, true), "1 task(s) cancelled", ExecutionError);
  Queue infinite(QueueOptions{.workers = 1, .mode = osiiso::Mode::infinite});
  CHECK_THROWS_WITH_AS(infinite.run(10ms, true), "run timed out", ExecutionError);
}

TEST_CASE_TEMPLATE("RunSummary: display()", Queue, OSIISO_QUEUES) {
  const Ended<Queue> ended;
  std::ostringstream out;
  ended.summary.display(out);
  CHECK(out.str().find("Run Summary: COMPLETED WITH ERRORS") != std::string::npos);
  CHECK(out.str().find("    - bad\n      no 7\n") != std::string::npos);
  std::ostringstream empty;
  Queue().run().display(empty);
  CHECK(empty.str().find("Run Summary: PASSED") != std::string::npos);
}
