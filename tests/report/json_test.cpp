// SPDX-License-Identifier: MIT
#include "report/json.hpp"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "report/sample_results.hpp"

namespace osiiso::report {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using nlohmann::ordered_json;
using test::facts_of_nightly;
using test::nightly_with_restored;
using test::result;
using test::summary_of;

const std::string kReplacement = "\xEF\xBF\xBD";

std::string written(const RunSummary& summary, const RunFacts& facts = {}) {
  std::ostringstream out;
  write_json(out, summary, facts);
  return out.str();
}

ordered_json parsed(const RunSummary& summary, const RunFacts& facts = {}) {
  return ordered_json::parse(written(summary, facts));
}

// The only result of a run that had this one.
ordered_json parsed(const TaskResult& only) {
  return parsed(summary_of({only})).at("results").at(0);
}

std::vector<std::string> keys(const ordered_json& object) {
  std::vector<std::string> found;
  for (const auto& item : object.items()) found.push_back(item.key());
  return found;
}

TaskResult with_stdout(std::string text) {
  TaskResult made = result("a", Status::succeeded);
  CommandOutput output;
  output.exit_code = 0;
  output.stdout_bytes = text.size();
  output.stdout_text = std::move(text);
  made.output = std::make_shared<const CommandOutput>(output);
  made.value = made.output;
  return made;
}

TaskResult with_value(std::any value) {
  TaskResult made = result("a", Status::succeeded);
  made.value = std::move(value);
  return made;
}

TEST_CASE("the summary stands in front, field by field") {
  const ordered_json json = parsed(nightly_with_restored(), facts_of_nightly());
  CHECK(keys(json) == std::vector<std::string>{"schema", "name", "status", "ok", "total_submitted",
                                               "succeeded", "failed", "cancelled", "timed_out",
                                               "duration", "started_at", "interrupted_by",
                                               "restored", "restored_results", "detached", "leaked",
                                               "groups", "results"});
  CHECK(json["schema"] == 1);
  CHECK(json["name"] == "nightly");
  CHECK(json["status"] == "COMPLETED WITH ERRORS");
  CHECK(json["ok"] == false);
  CHECK(json["total_submitted"] == 5);
  CHECK(json["succeeded"] == 3);
  CHECK(json["failed"] == 2);
  CHECK(json["cancelled"] == 0);
  CHECK(json["timed_out"] == false);
  CHECK(json["duration"] == 1.234);
  CHECK(json["started_at"] == "2026-11-21T21:35:00.123Z");
  CHECK(json["interrupted_by"].is_null());
  CHECK(json["restored"] == 1);
  CHECK(json["restored_results"].size() == 1);
  CHECK(json["restored_results"][0]["value"] == "kept");
  CHECK(json["restored_results"][0]["message"] == "restored from checkpoint");
  CHECK(json["detached"].dump() == R"({"total":3,"succeeded":1,"failed":2,"cancelled":0})");
  CHECK(json["leaked"] == 4);
  CHECK(json["groups"].dump() == R"({"api":{"total":2,"succeeded":1,"failed":1,"cancelled":0}})");
  CHECK(json["results"].size() == 5);
}

TEST_CASE("a failed command's result tells everything about it") {
  const ordered_json json = parsed(test::nightly()).at("results").at(0);
  CHECK(keys(json) == std::vector<std::string>{
                          "task_id",  "name",       "group_id",   "status",     "command",
                          "value",    "exception",  "attempts",   "priority",   "must_complete",
                          "detached", "metadata",   "created_at", "started_at", "finished_at",
                          "duration", "message",    "stdout",     "stderr",     "truncated",
                          "cpu_user", "cpu_system", "max_rss",    "leaked",     "attempt_list"});
  CHECK(json["task_id"] == "0123456789abcdef0123456789abcdef");
  CHECK(json["name"] == "fetch-api");
  CHECK(json["group_id"] == "api");
  CHECK(json["status"] == "failed");
  CHECK(json["command"] == "curl -fsS https://example.org/api");
  CHECK(json["value"].is_null());
  CHECK(json["exception"].dump() == R"({"kind":"exit","exit_code":7,"signal":null})");
  CHECK(json["attempts"] == 3);
  CHECK(json["priority"] == 0);
  CHECK(json["must_complete"] == false);
  CHECK(json["detached"] == false);
  CHECK(json["metadata"].is_null());
  CHECK(json["created_at"] == 0);
  CHECK(json["started_at"] == 0.001);
  CHECK(json["finished_at"] == 1.2);
  CHECK(json["duration"] == 1.199);
  CHECK(json["message"] == "Connection refused");
  CHECK(json["stdout"] == "");
  CHECK(json["stderr"] == "curl: (7) Connection refused\n");
  CHECK(json["truncated"] == false);
  CHECK(json["cpu_user"] == 0.01);
  CHECK(json["cpu_system"] == 0.004);
  CHECK(json["max_rss"] == 9437184);
  CHECK(json["leaked"] == ordered_json::array());
  REQUIRE(json["attempt_list"].size() == 3);
  CHECK(json["attempt_list"][1].dump() ==
        R"({"attempt":2,"worker":1,"started_at":0.401,"finished_at":0.8,"kind":"exit",)"
        R"("exit_code":7,"signal":null,"message":"Connection refused"})");
}

TEST_CASE("a succeeded command's value is its standard output") {
  const ordered_json json = parsed(test::nightly()).at("results").at(1);
  CHECK(json["status"] == "succeeded");
  CHECK(json["value"] == "hello\n\"wörld\"");
  CHECK(json["stdout"] == "hello\n\"wörld\"\n");
  CHECK(json["exception"].is_null());
  CHECK(json["must_complete"] == true);
  CHECK(json["metadata"] == ordered_json({{"owner", "ops"}}));
  CHECK(json["message"] == "");
  CHECK(json["attempt_list"][0].dump() ==
        R"({"attempt":1,"worker":3,"started_at":0.0015,"finished_at":0.001501,"kind":null,)"
        R"("exit_code":0,"signal":null,"message":""})");

  CHECK(parsed(with_stdout(""))["value"] == "");
  CHECK(parsed(with_stdout("a\n\n"))["value"] == "a\n");  // the last newline, no other
  CHECK(parsed(with_stdout("a\nb"))["value"] == "a\nb");
}

TEST_CASE("a standard output that was not kept whole is no value") {
  const auto value_when_truncated = [](std::uint64_t stdout_bytes) {
    TaskResult made = result("a", Status::succeeded);
    CommandOutput output;
    output.stdout_text = "beginning ... end";
    output.stdout_bytes = stdout_bytes;
    output.truncated = true;
    made.output = std::make_shared<const CommandOutput>(output);
    return parsed(made).at("value");
  };
  CHECK(value_when_truncated(100'000).is_null());
  CHECK(value_when_truncated(64 * 1024 + 1).is_null());
  CHECK(value_when_truncated(17) == "beginning ... end");  // it was the standard error
}

TEST_CASE("a failed or cancelled command has no value") {
  for (const Status status : {Status::failed, Status::cancelled}) {
    TaskResult made = with_stdout("partial");
    made.status = status;
    CHECK(parsed(made)["value"].is_null());
    CHECK(parsed(made)["stdout"] == "partial");
  }
}

TEST_CASE("a function's value is shown where JSON can show it") {
  CHECK(parsed(with_value({}))["value"].is_null());
  CHECK(parsed(with_value(std::string("text")))["value"] == "text");
  CHECK(parsed(with_value("literal"))["value"] == "literal");
  CHECK(parsed(with_value(std::string_view("view")))["value"] == "view");
  CHECK(parsed(with_value(true))["value"] == true);
  CHECK(parsed(with_value(-42))["value"] == -42);
  CHECK(parsed(with_value(std::size_t{42}))["value"] == 42);
  CHECK(parsed(with_value(std::numeric_limits<std::int64_t>::min()))["value"] ==
        std::numeric_limits<std::int64_t>::min());
  CHECK(parsed(with_value(0.1))["value"] == 0.1);
  CHECK(parsed(with_value(0.5F))["value"] == 0.5);
  CHECK(parsed(with_value(std::numeric_limits<double>::infinity()))["value"].is_null());
  CHECK(parsed(with_value(nlohmann::json{{"a", {1, 2}}}))["value"].dump() == R"({"a":[1,2]})");
  CHECK(parsed(with_value(std::vector<int>{1}))["value"].is_null());
}

TEST_CASE("a function has no command, output or use of its own") {
  const ordered_json json = parsed(test::nightly()).at("results").at(2);
  CHECK(json["command"].is_null());
  CHECK(json["group_id"].is_null());
  CHECK(json["exception"].dump() == R"({"kind":"error","exit_code":null,"signal":null})");
  CHECK(json["stdout"] == "");
  CHECK(json["stderr"] == "");
  CHECK(json["truncated"] == false);
  CHECK(json["cpu_user"] == 0);
  CHECK(json["max_rss"] == 0);
}

TEST_CASE("an exception is that of the last attempt") {
  TaskResult made = result("a", Status::failed, "killed by SIGSEGV", 2);
  made.unsuccessful_attempts.push_back({.attempt = 1,
                                        .worker = 0,
                                        .started_at = {},
                                        .finished_at = {},
                                        .cause = Cause::exit,
                                        .exit_code = 1,
                                        .signal = std::nullopt,
                                        .message = "exit status 1"});
  made.unsuccessful_attempts.push_back({.attempt = 2,
                                        .worker = 0,
                                        .started_at = {},
                                        .finished_at = {},
                                        .cause = Cause::signal,
                                        .exit_code = std::nullopt,
                                        .signal = SIGSEGV,
                                        .message = "killed by SIGSEGV"});
  CHECK(parsed(made)["exception"].dump() ==
        R"({"kind":"signal","exit_code":null,"signal":"SIGSEGV"})");
  CHECK(parsed(made)["attempt_list"][1]["signal"] == "SIGSEGV");

  CHECK(parsed(result("never ran", Status::failed))["exception"]["kind"] == "error");
}

TEST_CASE("a task that never began has no start") {
  const ordered_json json = parsed(result("a", Status::cancelled, "cancelled before execution", 0));
  CHECK(json["status"] == "cancelled");
  CHECK(json["started_at"].is_null());
  CHECK(json["exception"].is_null());
  CHECK(json["attempt_list"] == ordered_json::array());
}

TEST_CASE("an empty run is a whole object") {
  const ordered_json json = parsed(RunSummary());
  CHECK(json["status"] == "PASSED");
  CHECK(json["ok"] == true);
  CHECK(json["results"] == ordered_json::array());
  CHECK(json["restored_results"] == ordered_json::array());
  CHECK(json["groups"] == ordered_json::object());
  CHECK(json["started_at"] == "1970-01-01T00:00:00.000Z");
}

TEST_CASE("an interrupted run is not ok") {
  RunFacts facts;
  facts.interrupted_by = SIGINT;
  const ordered_json json = parsed(summary_of({result("a", Status::succeeded)}), facts);
  CHECK(json["interrupted_by"] == "SIGINT");
  CHECK(json["ok"] == false);
  CHECK(json["status"] == "COMPLETED WITH ERRORS");
}

TEST_CASE("an interrupted run that timed out says that") {
  RunSummary summary;
  summary.timed_out = true;
  RunFacts facts;
  facts.interrupted_by = SIGINT;
  CHECK(parsed(summary, facts)["status"] == "TIMED OUT");
}

TEST_CASE("a timed out run says so") {
  RunSummary summary;
  summary.timed_out = true;
  CHECK(parsed(summary)["timed_out"] == true);
  CHECK(parsed(summary)["status"] == "TIMED OUT");
  CHECK(parsed(summary)["ok"] == false);
}

TEST_CASE("a moment before the epoch is rounded down too") {
  RunFacts facts;
  facts.started_at = std::chrono::system_clock::time_point(-1ms);
  CHECK(parsed(RunSummary(), facts)["started_at"] == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("groups stand in order of first appearance, whatever they are called") {
  std::vector<TaskResult> results;
  for (const char* group_id : {"z", "", "a \"b\"\n", "z"}) {
    results.push_back(result("t", Status::succeeded));
    results.back().group_id = group_id;
  }
  results.back().status = Status::cancelled;
  const ordered_json groups = parsed(summary_of(results)).at("groups");
  CHECK(keys(groups) == std::vector<std::string>{"z", "a \"b\"\n"});
  CHECK(groups["z"].dump() == R"({"total":2,"succeeded":1,"failed":0,"cancelled":1})");
}

TEST_CASE("bytes that are no UTF-8 are replaced, and only their result is called binary") {
  const ordered_json json =
      parsed(summary_of({with_stdout("a\xFF\xC3z\n"), with_stdout("plain äöü\n")})).at("results");
  CHECK(json[0]["stdout"] == "a" + kReplacement + kReplacement + "z\n");
  CHECK(json[0]["value"] == "a" + kReplacement + kReplacement + "z");
  CHECK(json[0]["binary"] == true);
  CHECK_FALSE(json[1].contains("binary"));
}

TEST_CASE("no text can make the JSON unreadable") {
  const std::string hostile = "\0\x1b\"\\\x7f\xED\xA0\x80\xF5</script>"s;
  TaskResult made = with_stdout(hostile);
  made.status = Status::failed;
  made.name = made.group_id = made.command = made.message = hostile;
  made.metadata = std::make_shared<const nlohmann::json>(hostile);
  made.unsuccessful_attempts.resize(1);
  made.unsuccessful_attempts[0].message = hostile;
  RunFacts facts;
  facts.name = hostile;
  const ordered_json json = parsed(summary_of({made}), facts);
  CHECK(json["results"][0]["binary"] == true);
  CHECK(json["results"][0]["metadata"].is_string());
  CHECK(json["results"][0]["name"] == json["name"]);

  TaskResult only_metadata = result("a", Status::succeeded);
  only_metadata.metadata = std::make_shared<const nlohmann::json>("\xFF");
  CHECK(parsed(only_metadata)["metadata"] == kReplacement);
  CHECK(parsed(only_metadata)["binary"] == true);
}

TEST_CASE("a run of more results than are written in one go is whole") {
  std::vector<TaskResult> results(5'000, with_stdout(std::string(100, 'x')));
  for (std::size_t i = 0; i < results.size(); ++i) results[i].name = std::to_string(i);
  const std::string text = written(summary_of(results));
  const ordered_json json = ordered_json::parse(text);
  REQUIRE(json["results"].size() == 5'000);
  CHECK(json["results"][4'999]["name"] == "4999");
  CHECK(text.ends_with("}\n"));
}

// With OSIISO_REWRITE_GOLDEN set, the golden file is written instead of compared.
TEST_CASE("the JSON of the manual's example is the golden file's, byte for byte") {
  const std::string path = OSIISO_GOLDEN_DIR "/nightly.json";
  const std::string text = written(nightly_with_restored(), facts_of_nightly());
  if (std::getenv("OSIISO_REWRITE_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ifstream golden(path);
  CHECK(text == std::string(std::istreambuf_iterator<char>(golden), {}));
}

}  // namespace
}  // namespace osiiso::report
