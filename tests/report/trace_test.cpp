// SPDX-License-Identifier: MIT
#include "report/trace.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "report/sample_results.hpp"

namespace osiiso::report {
namespace {

using nlohmann::json;

json parsed(const RunSummary& summary, const RunFacts& facts) {
  std::ostringstream out;
  write_trace(out, summary, facts);
  return json::parse(out.str());
}

std::vector<json> events(const json& trace, const std::string& phase) {
  std::vector<json> found;
  for (const json& event : trace.at("traceEvents")) {
    if (event.at("ph") == phase) found.push_back(event);
  }
  return found;
}

std::map<int, std::string> thread_names(const json& trace) {
  std::map<int, std::string> names;
  for (const json& event : events(trace, "M")) {
    if (event.at("name") == "thread_name") names[event.at("tid")] = event.at("args").at("name");
  }
  return names;
}

void require_no_overlap(const json& trace) {
  std::map<int, std::vector<std::pair<double, double>>> slices;  // by thread
  for (const json& event : events(trace, "X")) {
    const double start = event.at("ts");
    slices[event.at("tid")].emplace_back(start, start + event.at("dur").get<double>());
  }
  constexpr double kRounding = 0.01;  // a hundredth of a microsecond
  for (auto& [thread, of_thread] : slices) {
    std::ranges::sort(of_thread);
    for (std::size_t i = 1; i < of_thread.size(); ++i) {
      CHECK(of_thread[i - 1].second <= of_thread[i].first + kRounding);
    }
  }
}

}  // namespace

TEST_CASE("a trace has a thread for each worker and a slice for each attempt") {
  const json trace = parsed(test::nightly(), test::facts_of_nightly());
  CHECK(trace["displayTimeUnit"] == "ms");
  CHECK(trace["otherData"]["started_at"] == "2026-11-21T21:35:00.123Z");
  CHECK(thread_names(trace) ==
        std::map<int, std::string>{
            {1, "run"}, {2, "worker 0"}, {3, "worker 1"}, {4, "worker 2"}, {5, "worker 3"}});
  const auto slices = events(trace, "X");
  REQUIRE(slices.size() == 6);  // the run, three attempts, two more tasks; two were not started
  CHECK(slices[0]["name"] == "nightly");
  CHECK(slices[0]["dur"] == 1'234'000.0);
  const json& second = slices[2];
  CHECK(second["name"] == "fetch-api");
  CHECK(second["cat"] == "failed");
  CHECK(second["tid"] == 3);
  CHECK(second["ts"] == 401'000.0);
  CHECK(second["dur"] == 399'000.0);
  CHECK(second["args"]["attempt"] == 2);
  CHECK(second["args"]["attempts"] == 3);
  CHECK(second["args"]["exit_code"] == 7);
  CHECK(second["args"]["message"] == "Connection refused");
  CHECK(slices[4]["cat"] == "succeeded");
  CHECK(slices[4]["ts"] == 1'500.0);
}

TEST_CASE("the end of the run is marked") {
  const auto marks = events(parsed(test::nightly(), test::facts_of_nightly()), "i");
  REQUIRE(marks.size() == 1);
  CHECK(marks[0]["name"] == "run ended: COMPLETED WITH ERRORS");
  CHECK(marks[0]["s"] == "g");
  CHECK(marks[0]["ts"] == 1'234'000.0);
  CHECK(marks[0]["args"]["failed"] == 2);
}

TEST_CASE("any run is a trace whose slices follow one another and belong to named threads") {
  for (unsigned seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    const RunSummary summary = test::random_run(seed);
    const json trace = parsed(summary, test::random_facts(seed));
    require_no_overlap(trace);
    const auto names = thread_names(trace);
    for (const json& event : events(trace, "X")) CHECK(names.contains(event.at("tid")));
    std::size_t attempts = 0;
    for (const ResultPtr& each : summary.results) attempts += each->attempt_list().size();
    CHECK(events(trace, "X").size() == attempts + 1);
  }
}

}  // namespace osiiso::report
