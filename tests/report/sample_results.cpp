// SPDX-License-Identifier: MIT
#include "report/sample_results.hpp"

#include <algorithm>
#include <csignal>
#include <memory>
#include <utility>

#include <nlohmann/json.hpp>

namespace osiiso::test {
namespace {

using namespace std::chrono_literals;

TaskResult fetch_api() {
  TaskResult made = result("fetch-api", Status::failed, "Connection refused", 3);
  CommandOutput output;
  output.exit_code = 7;
  output.stderr_text = "curl: (7) Connection refused\n";
  output.stderr_bytes = 29;
  output.cpu_user = 10ms;
  output.cpu_system = 4ms;
  output.max_rss = 9'437'184;
  made.task_id = TaskId(0x0123456789abcdef, 0x0123456789abcdef);
  made.group_id = "api";
  made.command = "curl -fsS https://example.org/api";
  made.output = std::make_shared<const CommandOutput>(output);
  made.priority = 0;
  made.started_at = 1ms;
  made.finished_at = 1200ms;
  made.duration = 1199ms;
  for (int attempt = 1; attempt <= 3; ++attempt) {
    made.unsuccessful_attempts.push_back({.attempt = attempt,
                                          .worker = attempt - 1,
                                          .started_at = attempt * 400ms - 399ms,
                                          .finished_at = attempt * 400ms,
                                          .cause = Cause::exit,
                                          .exit_code = 7,
                                          .signal = std::nullopt,
                                          .message = "Connection refused"});
  }
  return made;
}

TaskResult parse_data() {
  TaskResult made = result("parse-data", Status::failed, "Invalid JSON at line 42");
  made.task_id = TaskId(0x1123456789abcdef, 0x0123456789abcdef);
  made.started_at = 2ms;
  made.finished_at = 3ms;
  made.duration = 1ms;
  made.unsuccessful_attempts.push_back({.attempt = 1,
                                        .worker = 0,
                                        .started_at = 2ms,
                                        .finished_at = 3ms,
                                        .cause = Cause::error,
                                        .exit_code = std::nullopt,
                                        .signal = std::nullopt,
                                        .message = "Invalid JSON at line 42"});
  return made;
}

TaskResult hello() {
  TaskResult made = result("hello", Status::succeeded);
  CommandOutput output;
  output.exit_code = 0;
  output.stdout_text = "hello\n\"wörld\"\n";
  output.stdout_bytes = output.stdout_text.size();
  made.task_id = TaskId(0x2123456789abcdef, 0x0123456789abcdef);
  made.group_id = "api";
  made.command = "echo hello";
  made.output = std::make_shared<const CommandOutput>(output);
  made.value = made.output;
  made.must_complete = true;
  made.started_at = 1500us;
  made.last_started_at = 1500us;
  made.finished_at = 1501us;
  made.duration = 1us;
  made.metadata = std::make_shared<const nlohmann::json>(nlohmann::json{{"owner", "ops"}});
  made.worker = 3;
  return made;
}

TaskResult answer() {
  TaskResult made = result("answer", Status::succeeded);
  made.task_id = TaskId(0x3123456789abcdef, 0x0123456789abcdef);
  made.value = 42;
  return made;
}

}  // namespace

TaskResult result(std::string name, Status status, std::string message, int attempts) {
  TaskResult made;
  made.name = std::move(name);
  made.status = status;
  made.message = std::move(message);
  made.attempts = attempts;
  return made;
}

RunSummary summary_of(const std::vector<TaskResult>& results, Duration duration) {
  RunSummary summary;
  for (const TaskResult& each : results) summary.add(std::make_shared<const TaskResult>(each));
  summary.duration = duration;
  return summary;
}

RunSummary nightly() {
  return summary_of({fetch_api(), hello(), parse_data(), answer(), answer()}, 1234ms);
}

RunSummary nightly_with_restored() {
  RunSummary summary = nightly();
  TaskResult restored = result("old", Status::succeeded, "restored from checkpoint", 0);
  restored.restored = true;
  restored.value = std::string("kept");
  summary.restored.push_back(std::make_shared<const TaskResult>(restored));
  return summary;
}

report::RunFacts facts_of_nightly() {
  report::RunFacts facts;
  facts.name = "nightly";
  facts.started_at = std::chrono::sys_days(std::chrono::year(2026) / 11 / 21) + 21h + 35min + 123ms;
  facts.detached = {.total = 3, .succeeded = 1, .failed = 2, .cancelled = 0};
  facts.leaked = 4;
  return facts;
}

std::string random_text(std::mt19937& random) {
  static const std::vector<std::string> kPieces = {"a",
                                                   "name",
                                                   " ",
                                                   "\n",
                                                   "\r\n",
                                                   "\r",
                                                   "\t",
                                                   "<",
                                                   ">",
                                                   "&",
                                                   "\"",
                                                   "'",
                                                   "]]>",
                                                   "</script>",
                                                   "<!--",
                                                   "-->",
                                                   "&amp;",
                                                   "\x1b[31m",
                                                   "\x1b[2J",
                                                   "\x1b",
                                                   "\x1b[",
                                                   "\x01",
                                                   "\x7f",
                                                   "\xC2\x9B",
                                                   "\xFF",
                                                   "\xED\xA0\x80",
                                                   "\xE2\x80",
                                                   "\xE2\x80\xA8",
                                                   "\xE2\x80\xAE",
                                                   "\xE2\x80\xA9",
                                                   "\xEF\xBF\xBE",
                                                   "\xEF\xBF\xBF",
                                                   "\xF0\x9F\x98\x80",
                                                   "\xC3\xA4",
                                                   "{{js}}",
                                                   "{{data}}",
                                                   "\\u003c",
                                                   "\\"};
  std::string text;
  for (auto length = random() % 6; length > 0; --length) {
    if (random() % 8 == 0) {
      text += static_cast<char>(random() % 256);
    } else {
      text += kPieces[random() % kPieces.size()];
    }
  }
  return text;
}

namespace {

constexpr int kWorkers = 3;

Duration random_duration(std::mt19937& random) {
  return std::chrono::nanoseconds(random() % 3 == 0 ? 0 : random());
}

AttemptResult random_attempt(std::mt19937& random, int number, Duration earliest,
                             std::vector<Duration>& free_at) {
  static const std::vector<Cause> kCauses = {Cause::exit,  Cause::signal, Cause::timeout,
                                             Cause::spawn, Cause::worker, Cause::leak,
                                             Cause::error};
  AttemptResult attempt;
  attempt.attempt = number;
  attempt.worker = static_cast<int>(random() % kWorkers);
  Duration& free = free_at[static_cast<std::size_t>(attempt.worker)];
  attempt.started_at = std::max(free, earliest) + random_duration(random);
  attempt.finished_at = free = attempt.started_at + random_duration(random);
  attempt.cause = kCauses[random() % kCauses.size()];
  attempt.message = random_text(random);
  if (attempt.cause == Cause::exit) attempt.exit_code = static_cast<int>(random() % 256);
  if (attempt.cause == Cause::signal) attempt.signal = static_cast<int>(1 + random() % 60);
  return attempt;
}

void give_attempts(TaskResult& made, std::mt19937& random, std::vector<Duration>& free_at) {
  made.attempts = static_cast<int>(random() % 4);
  if (made.status != Status::cancelled) made.attempts = std::max(made.attempts, 1);
  Duration earliest{0};
  for (int number = 1; number <= made.attempts; ++number) {
    made.unsuccessful_attempts.push_back(random_attempt(random, number, earliest, free_at));
    earliest = made.unsuccessful_attempts.back().finished_at;
  }
  if (made.attempts == 0) return;
  auto& attempts = made.unsuccessful_attempts;
  AttemptResult& last = attempts.back();
  made.started_at = attempts.front().started_at;
  made.finished_at = last.finished_at;
  made.duration = made.finished_at - *made.started_at;
  if (made.status == Status::cancelled) last.cause = Cause::none;
  if (made.status != Status::succeeded) return;
  made.worker = last.worker;
  made.last_started_at = last.started_at;
  attempts.pop_back();
}

TaskResult random_result(std::mt19937& random, std::vector<Duration>& free_at) {
  static const std::vector<Status> kStatuses = {Status::succeeded, Status::failed,
                                                Status::cancelled};
  TaskResult made;
  made.task_id = TaskId(random(), random());
  made.name = random_text(random);
  made.group_id = random() % 3 == 0 ? "" : random_text(random);
  made.command = random() % 3 == 0 ? "" : random_text(random);
  made.status = kStatuses[random() % kStatuses.size()];
  made.priority = static_cast<int>(random() % 5);
  made.must_complete = random() % 2 == 0;
  if (random() % 4 == 0) {
    made.metadata = std::make_shared<const nlohmann::json>(
        nlohmann::json{{"key", random_text(random)}, {"numbers", {1, 2.5, nullptr}}});
  }
  if (made.status != Status::succeeded) made.message = random_text(random);
  give_attempts(made, random, free_at);
  if (random() % 4 == 0) return made;
  CommandOutput output;
  output.stdout_text = random_text(random);
  output.stderr_text = random_text(random);
  output.cpu_user = random_duration(random);
  output.max_rss = static_cast<std::int64_t>(random());
  if (random() % 4 == 0)
    output.leaked.push_back({.pid = 7, .command = random_text(random), .age = 1s});
  made.output = std::make_shared<const CommandOutput>(output);
  return made;
}

}  // namespace

RunSummary random_run(unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Duration> free_at(kWorkers);
  std::vector<TaskResult> results;
  for (auto count = random() % 20; count > 0; --count) {
    results.push_back(random_result(random, free_at));
  }
  RunSummary summary = summary_of(results, *std::ranges::max_element(free_at));
  summary.timed_out = random() % 5 == 0;
  for (auto count = random() % 3; count > 0; --count) {
    TaskResult restored =
        result(random_text(random), Status::succeeded, "restored from checkpoint", 0);
    restored.restored = true;
    summary.restored.push_back(std::make_shared<const TaskResult>(restored));
  }
  return summary;
}

report::RunFacts random_facts(unsigned seed) {
  std::mt19937 random(seed);
  report::RunFacts facts = facts_of_nightly();
  facts.name = random_text(random);
  facts.started_at += std::chrono::nanoseconds(random());
  if (random() % 4 == 0) facts.interrupted_by = SIGTERM;
  return facts;
}

}  // namespace osiiso::test
