// SPDX-License-Identifier: MIT
#include "report/saved_run.hpp"

#include <functional>
#include <sstream>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "osiiso/error.hpp"

#include "report/report.hpp"
#include "report/sample_results.hpp"
#include "report/wall_time.hpp"

namespace osiiso::report {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

std::string written(Kind kind, const RunSummary& summary, const RunFacts& facts) {
  std::ostringstream out;
  write_report(out, kind, summary, facts);
  return out.str();
}

std::string saved_nightly() {
  return written(Kind::json, test::nightly_with_restored(), test::facts_of_nightly());
}

std::string error_of(const std::string& text) {
  try {
    read_saved_run(text);
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

}  // namespace

TEST_CASE("a saved run gives each report as the run itself did, byte for byte") {
  for (unsigned seed = 0; seed < 500; ++seed) {
    CAPTURE(seed);
    const RunSummary summary = test::random_run(seed);
    const RunFacts facts = test::random_facts(seed);
    const SavedRun saved = read_saved_run(written(Kind::json, summary, facts));
    for (const Kind kind : {Kind::text, Kind::junit, Kind::html, Kind::trace}) {
      CHECK(written(kind, saved.summary, saved.facts) == written(kind, summary, facts));
    }
  }
}

TEST_CASE("a saved run knows all about its results") {
  const SavedRun saved = read_saved_run(saved_nightly());
  CHECK(saved.facts.name == "nightly");
  CHECK(saved.facts.leaked == 4);
  CHECK(saved.facts.detached.failed == 2);
  CHECK(saved.summary.total_submitted == 5);
  CHECK(saved.summary.duration == 1234ms);
  REQUIRE(saved.summary.restored.size() == 1);
  CHECK(saved.summary.restored[0]->restored);
  REQUIRE(saved.summary.results.size() == 5);
  const TaskResult& hello = *saved.summary.results[1];
  CHECK(hello.task_id == "2123456789abcdef0123456789abcdef");
  CHECK(hello.worker == 3);
  CHECK(hello.last_started_at == 1500us);
  CHECK(hello.output->exit_code == 0);
  CHECK(hello.attempt_list().size() == 1);
  CHECK(hello.unsuccessful_attempts.empty());
}

TEST_CASE("a later version may tell more, and a reader may have put it into another form") {
  json tree = json::parse(saved_nightly());
  tree["new"] = {1, {{"results", {1}}}};
  tree["results"][0]["new"] = {{"a", 1}};
  const SavedRun saved = read_saved_run(tree.dump(2));
  CHECK(written(Kind::junit, saved.summary, saved.facts) ==
        written(Kind::junit, test::nightly_with_restored(), test::facts_of_nightly()));
}

TEST_CASE("what is no summary is refused with its place") {
  CHECK(error_of("") == "byte 1 is no JSON");
  CHECK(error_of("{\"schema\": 1") == "byte 13 is no JSON");
  CHECK(error_of(R"({"schema": 1e999})") == "it has a number that is too large");
  CHECK(error_of("[]") == "there is no object with 'schema'");
  CHECK(error_of("3") == "there is no object with 'schema'");
  CHECK(error_of("{}") == "'schema' is missing");
  CHECK(error_of(R"({"schema": 2})") == "its schema is another one than 1");
  CHECK(error_of(std::string(2'000'000, '[')) == "it is nested too deeply");
  const auto when = [](const std::function<void(json&)>& change) {
    json tree = json::parse(saved_nightly());
    change(tree);
    return error_of(tree.dump());
  };
  CHECK(when([](json& tree) { tree.erase("failed"); }) == "'failed' is missing");
  CHECK(when([](json& tree) { tree["failed"] = -1; }) ==
        "'failed' is not a whole number that fits here");
  CHECK(when([](json& tree) { tree["duration"] = 1e300; }) ==
        "'duration' is not a time in seconds");
  CHECK(when([](json& tree) { tree["started_at"] = "2026-13-01T00:00:00.000Z"; }) ==
        "'started_at' is not a time such as 2026-11-21T21:35:00.123Z");
  CHECK(when([](json& tree) { tree["interrupted_by"] = "SIGNAL"; }) ==
        "'interrupted_by' is not the name of a signal");
  CHECK(when([](json& tree) { tree["results"][2] = 7; }) == "'results' holds what is no object");
  CHECK(when([](json& tree) { tree["results"][3].erase("name"); }) ==
        "results[3]: 'name' is missing");
  CHECK(when([](json& tree) { tree["results"][0]["status"] = "running"; }) ==
        "results[0]: 'status' is not a status that is final");
  CHECK(when([](json& tree) { tree["results"][0]["task_id"] = "0123"; }) ==
        "results[0]: 'task_id' is not a task id");
  CHECK(when([](json& tree) { tree["results"][0]["attempt_list"][0]["kind"] = "bad luck"; }) ==
        "results[0]: 'kind' is not a kind of failure");
  CHECK(when([](json& tree) { tree["restored_results"][0]["message"] = nullptr; }) ==
        "restored_results[0]: 'message' is not a text");
}

TEST_CASE("a wall time is read as it was written") {
  const auto time = std::chrono::sys_days(std::chrono::year(2024) / 2 / 29) + 23h + 59min + 1ms;
  CHECK(rfc3339(time) == "2024-02-29T23:59:00.001Z");
  CHECK(parse_rfc3339("2024-02-29T23:59:00.001Z") == time);
  CHECK(rfc3339(time, 59s + 999'999us) == "2024-03-01T00:00:00.000Z");
  for (const char* bad :
       {"", "2024-02-30T00:00:00.000Z", "2024-02-29T24:00:00.000Z", "2024-02-29T00:00:00.000",
        "2024-02-29 00:00:00.000Z", "2024-02-29T00:00:00.0x0Z", "1677-12-31T23:59:59.999Z",
        "2262-01-01T00:00:00.000Z"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_rfc3339(bad));
  }
}

}  // namespace osiiso::report
