// SPDX-License-Identifier: MIT
#include "report/results.hpp"

#include <csignal>

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

}  // namespace osiiso::test
