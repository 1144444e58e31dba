// SPDX-License-Identifier: MIT
#include "report/event_stream.hpp"

#include <csignal>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/stop_state.hpp"
#include "report/sample_results.hpp"

namespace osiiso::report {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::result;

/// The stream of a run, and what came out of it.
struct Told {
  std::vector<std::string> lines;
  EventStream stream{[this](std::string_view line) { lines.emplace_back(line); }};

  Told() { stream.begin("0123", "nightly", "thread", 2); }

  std::vector<json> events() const {
    std::vector<json> found;
    for (const auto& line : lines) found.push_back(json::parse(line));
    return found;
  }
  std::vector<std::string> types() const {
    std::vector<std::string> found;
    for (const auto& event : events()) found.push_back(event["type"]);
    return found;
  }
};

TaskContext attempt_of(const TaskResult& task, int attempt) {
  TaskContext::Identity identity;
  identity.task_id = task.task_id.text();
  identity.name = task.name;
  identity.attempt = attempt;
  identity.worker = 4;
  return {std::move(identity), std::make_shared<base::StopState>()};
}

AttemptResult failure(int attempt, const std::string& message = "no") {
  AttemptResult made;
  made.attempt = attempt;
  made.cause = Cause::exit;
  made.message = message;
  return made;
}

FailedAttempt failed(const TaskResult& task, int attempt, Duration delay) {
  FailedAttempt about;
  about.task_id = task.task_id.text();
  about.name = task.name;
  about.attempt = attempt;
  about.delay = delay;
  return about;
}

}  // namespace

TEST_CASE("an attempt's start comes before its end, whatever is told") {
  Told told;
  auto task = result("a", Status::succeeded, {}, 2);
  task.started_at = Duration{0};
  told.stream.attempt_started(attempt_of(task, 1), 71);
  told.stream.attempt_failed(failed(task, 1, 1500ms), failure(1));
  told.stream.task_finished(task);  // of whose second attempt nobody saw a process
  CHECK(told.types() == std::vector<std::string>{
                            "run_started", "attempt_started", "attempt_finished", "retry_scheduled",
                            "attempt_started", "attempt_finished", "task_finished"});
  const auto events = told.events();
  CHECK(events[1]["pid"] == 71);
  CHECK(events[1]["worker"] == 4);
  CHECK(events[2]["kind"] == "exit");
  CHECK(events[2]["status"] == "failed");
  CHECK(events[3]["attempt"] == 2);
  CHECK(events[3]["delay"] == 1.5);
  CHECK(events[4]["attempt"] == 2);
  CHECK(events[4]["pid"].is_null());
  CHECK(events[5]["status"] == "succeeded");
  CHECK(events[6]["attempts"] == 2);
  for (std::size_t i = 0; i < events.size(); ++i) {
    CHECK(events[i]["seq"] == i);
    CHECK(events[i]["run"] == "0123");
  }
}

TEST_CASE("who was cancelled between two attempts has no further one") {
  Told told;
  auto task = result("a", Status::cancelled, "cancelled", 1);
  task.unsuccessful_attempts = {failure(1)};
  told.stream.attempt_failed(failed(task, 1, 1s), failure(1));
  told.stream.task_finished(task);
  CHECK(told.types() == std::vector<std::string>{"run_started", "attempt_started",
                                                 "attempt_finished", "retry_scheduled",
                                                 "task_finished"});
}

TEST_CASE("what attempts leave behind is told once, with the attempt that did") {
  Told told;
  auto task = result("a", Status::failed, "no", 2);
  auto first = std::make_shared<CommandOutput>();
  first->leaked = {{.pid = 7, .command = "sleep 1", .age = 1s}};
  auto both = std::make_shared<CommandOutput>(*first);
  both->leaked.push_back({.pid = 8, .command = "sleep 2", .age = 2s});
  auto about = failed(task, 1, {});
  about.output = first;
  told.stream.attempt_failed(about, failure(1));
  task.output = both;
  task.unsuccessful_attempts = {failure(1), failure(2)};
  told.stream.task_finished(task);
  CHECK(told.types() ==
        std::vector<std::string>{"run_started", "attempt_started", "attempt_finished",
                                 "process_leaked", "retry_scheduled", "attempt_started",
                                 "attempt_finished", "process_leaked", "task_finished"});
  CHECK(told.events()[3]["pid"] == 7);
  CHECK(told.events()[7]["pid"] == 8);
}

TEST_CASE("a line is no longer than a pipe takes in one piece, and is JSON, whatever texts are") {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    CAPTURE(round);
    std::string text;
    while (text.size() < 5000) text += test::random_text(random) + 'x';
    Told told;
    told.stream.task_submitted({.task_id = "1", .name = text, .group_id = text, .command = text});
    auto task = result(text, Status::failed, text);
    task.unsuccessful_attempts = {failure(1, text)};
    told.stream.task_finished(task);
    told.stream.process_leaked({.pid = 1, .command = text, .age = 1s});
    for (const auto& line : told.lines) {
      CHECK(line.size() <= kLongestEvent);
      CHECK(line.find('\n') == line.size() - 1);
      CHECK(json::accept(line));
    }
    CHECK(told.events().back()["command"].get<std::string>().ends_with("…"));
  }
}

TEST_CASE("a text that fits is not cut") {
  Told told;
  const std::string text = "Grüße, \"世界\"\n";
  told.stream.task_submitted({.task_id = "1", .name = text, .command = text + text});
  CHECK(told.events().back()["name"] == text);
  CHECK(told.events().back()["command"] == text + text);
  CHECK(told.events().back()["group_id"].is_null());
}

TEST_CASE("the end of a run has its counts, and a stop its cause") {
  Told told;
  told.stream.run_stopping({.cause = StopCause::halt, .signal = SIGINT});
  told.stream.run_stopping({.cause = StopCause::timeout});
  auto facts = test::facts_of_nightly();
  facts.interrupted_by = SIGINT;
  told.stream.end(test::nightly_with_restored(), facts);
  const auto events = told.events();
  CHECK(events[1]["cause"] == "signal");
  CHECK(events[1]["signal"] == "SIGINT");
  CHECK(events[2]["cause"] == "timeout");
  CHECK(events[2]["signal"].is_null());
  CHECK(events[3]["type"] == "run_finished");
  CHECK(events[3]["total_submitted"] == test::nightly_with_restored().total_submitted);
  CHECK(events[3]["restored"] == 1);
  CHECK(events[3]["ok"] == false);
  CHECK(events[3]["interrupted_by"] == "SIGINT");
}

}  // namespace osiiso::report
