// SPDX-License-Identifier: MIT
//
// Each vector becomes a job file that the program runs; everything that the vector expects is
// compared with the JSON summary and with display().
#include "support/program.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using nlohmann::json;
using osiiso::test::Ended;
using osiiso::test::TemporaryFolder;

namespace {

// The vectors' times are rounded to 0.05 s, so this much less is the same. What is late by so much
// more is not slow but waited for something that it should not wait for.
constexpr double kEarlier = 0.03;
constexpr double kLater = 3.0;

json read_json(const std::filesystem::path& path) {
  return json::parse(osiiso::test::read_file(path.string()));
}

json job_file(const json& vector, const std::string& kind, const std::string& counters) {
  json job;
  job["name"] = vector["name"];
  job["env"]["CTR"] = counters;
  for (const auto& [key, value] : vector["queue"].items()) {
    if (!value.is_null()) job["queue"][key] = value;
  }
  job["queue"]["kind"] = kind;
  for (const auto& task : vector["tasks"]) {
    json entry;
    entry["command"] = task["shell"];
    for (const char* key : {"name", "priority", "retries", "retry_delay", "backoff", "timeout",
                            "delay", "must_complete", "detached"}) {
      if (!task[key].is_null()) entry[key] = task[key];
    }
    if (!task["run_at_offset"].is_null()) {
      const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
      entry["run_at"] = now.count() + task["run_at_offset"].get<double>();
    }
    job["tasks"].push_back(entry);
  }
  return job;
}

/// `checkpoint`: a folder for one; empty: none.
Ended run(const json& vector, const std::string& kind, std::vector<std::string> options,
          const std::string& checkpoint) {
  const TemporaryFolder own_counters;
  std::string counters = own_counters.path();
  if (!checkpoint.empty()) {
    // What tells the command its place makes it another one.
    counters = checkpoint + "/counters";
    std::filesystem::remove_all(counters);
    std::filesystem::create_directory(counters);
    options.insert(options.end(), {"--checkpoint", checkpoint + "/file"});
  }
  std::vector<std::string> arguments = {OSIISO_PROGRAM, "run", "-"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  return osiiso::test::run_program(
      {.arguments = arguments, .input = job_file(vector, kind, counters).dump()});
}

struct Started {
  double at;
  std::string name;
  int attempt;
};

/// What the attempts tell: who started when, who was tried again why, how many ran at once.
struct Attempts {
  std::vector<Started> starts;  // in order of time
  json retry_hooks = json::array();
  int most_at_once = 0;
};

Attempts attempts_of(const json& summary) {
  Attempts found;
  std::vector<std::pair<double, int>> changes;
  for (const auto& result : summary["results"]) {
    const auto& list = result["attempt_list"];
    for (std::size_t i = 0; i < list.size(); ++i) {
      const auto& attempt = list[i];
      found.starts.push_back({attempt["started_at"], result["name"], attempt["attempt"]});
      changes.emplace_back(attempt["started_at"], 1);
      changes.emplace_back(attempt["finished_at"], -1);
      const bool retried = i + 1 < list.size() || result["status"] == "cancelled";
      if (retried && !attempt["kind"].is_null()) {
        found.retry_hooks.push_back({result["name"], attempt["attempt"], attempt["message"]});
      }
    }
  }
  std::stable_sort(found.starts.begin(), found.starts.end(),
                   [](const Started& a, const Started& b) { return a.at < b.at; });
  // An end at the very instant of a start comes first.
  std::sort(changes.begin(), changes.end());
  int now = 0;
  for (const auto& [at, change] : changes) {
    now += change;
    found.most_at_once = std::max(found.most_at_once, now);
  }
  return found;
}

std::set<std::string> detached_names(const json& vector) {
  std::set<std::string> names;
  for (const auto& task : vector["tasks"]) {
    if (task["detached"].get<bool>()) names.insert(task["name"].get<std::string>());
  }
  return names;
}

void check_counts(const json& summary, const json& expect) {
  for (const char* key :
       {"total_submitted", "succeeded", "failed", "cancelled", "timed_out", "ok"}) {
    CAPTURE(key);
    CHECK(summary[key] == expect[key]);
  }
}

void check_results(const json& summary, const json& expect, const std::set<std::string>& detached) {
  json names = json::array();
  std::map<std::string, json> by_name;
  json by_group = json::object();
  for (const auto& result : summary["results"]) {
    names.push_back(result["name"]);
    by_name[result["name"]] = result;
    const std::string group = result["group_id"].is_null() ? "None" : result["group_id"];
    by_group[group].push_back(result["name"]);
  }
  CHECK(names == expect["results"]);
  if (expect.contains("by_group")) CHECK(by_group == expect["by_group"]);
  for (const auto& result : summary["restored_results"]) by_name[result["name"]] = result;
  const std::map<std::string, std::string> fields = {{"status_by_name", "status"},
                                                     {"attempts_by_name", "attempts"},
                                                     {"message_by_name", "message"}};
  for (const auto& field : fields) {
    for (const auto& expected : expect[field.first].items()) {
      const std::string& name = expected.key();
      if (detached.contains(name)) continue;
      CAPTURE(field.second);
      CAPTURE(name);
      REQUIRE(by_name.contains(name));
      CHECK(by_name[name][field.second] == expected.value());
    }
  }
}

void check_starts(const Attempts& attempts, const json& expect,
                  const std::set<std::string>& detached) {
  std::vector<std::pair<std::string, double>> expected;
  for (const auto& start : expect.value("start_times", json::array())) {
    if (!detached.contains(start[0])) expected.emplace_back(start[0], start[2]);
  }
  if (!expected.empty()) {
    REQUIRE(attempts.starts.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CAPTURE(i);
      CHECK(attempts.starts[i].name == expected[i].first);
      CHECK(attempts.starts[i].at >= expected[i].second - kEarlier);
      CHECK(attempts.starts[i].at <= expected[i].second + kLater);
    }
  }
  const auto sorted = expect.value("start_times_sorted", json::array());
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    CHECK(attempts.starts[i].at >= sorted[i].get<double>() - kEarlier);
  }
}

/// Folders for the checkpoint of the runs with JSON and of those without; empty: none.
struct CheckpointFolders {
  std::string for_json;
  std::string for_text;
};

void check_vector(const json& vector, const std::string& kind,
                  const CheckpointFolders& checkpoints = {}) {
  const json& expect = vector["expect"];
  const auto detached = detached_names(vector);
  const auto start = std::chrono::steady_clock::now();
  const Ended with_json = run(vector, kind, {"--json"}, checkpoints.for_json);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  INFO("stderr: ", with_json.err);
  const json summary = json::parse(with_json.out, nullptr, false);
  REQUIRE_FALSE(summary.is_discarded());

  check_counts(summary, expect);
  check_results(summary, expect, detached);
  CHECK(summary["detached"]["total"] == detached.size());
  const int exit_code = expect["timed_out"].get<bool>() ? 124 : expect["ok"].get<bool>() ? 0 : 1;
  CHECK(with_json.exit_code == exit_code);

  const auto attempts = attempts_of(summary);
  check_starts(attempts, expect, detached);
  CHECK(attempts.retry_hooks == expect["retry_hooks"]);
  // Where the rate keeps tasks apart, only the speed of the machine makes them meet.
  const bool rated = !vector["queue"]["rate"].is_null();
  CHECK(attempts.most_at_once <=
        (rated ? vector["queue"]["workers"] : expect["max_concurrent"]).get<int>());
  // Delays count from the submission, a moment before the run that `duration` is about.
  CHECK(took.count() >= expect["duration_bounds"][0].get<double>());
  CHECK(summary["duration"].get<double>() <= took.count());
  CHECK(summary["duration"].get<double>() <= expect["duration_bounds"][1].get<double>() + kLater);

  if (expect.contains("display") && expect["display"].is_string()) {
    const Ended shown = run(vector, kind, {}, checkpoints.for_text);
    const std::regex duration(R"((Duration    : )[0-9]+\.[0-9]{3}s)");
    CHECK(std::regex_replace(shown.out, duration, "$1X") == expect["display"].get<std::string>());
    CHECK(shown.exit_code == exit_code);
  }
}

std::vector<json> vectors_for_programs(bool with_checkpoint) {
  std::vector<json> vectors;
  for (const auto& entry : std::filesystem::directory_iterator(OSIISO_VECTORS)) {
    if (entry.path().extension() != ".json") continue;
    auto vector = read_json(entry.path());
    if (vector.value("library_only", false)) continue;
    if (vector.contains("checkpoint") != with_checkpoint) continue;
    vectors.push_back(std::move(vector));
  }
  return vectors;
}

}  // namespace

TEST_CASE("the program gives what each vector expects, on every kind of queue") {
  const auto vectors = vectors_for_programs(false);
  REQUIRE(vectors.size() == 42);
  for (const std::string kind : {"thread", "process", "async"}) {
    // Most of them wait for something most of the time, so a few at once cost no more.
    std::atomic<std::size_t> next = 0;
    const auto check_some = [&] {
      for (std::size_t i = next++; i < vectors.size(); i = next++) {
        const std::string name = vectors[i]["name"];
        INFO("vector: ", name, " on the ", kind, " queue");
        check_vector(vectors[i], kind);
      }
    };
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back(check_some);
  }
}

TEST_CASE("the program with a checkpoint gives what the vectors about it expect, twice") {
  const auto vectors = vectors_for_programs(true);
  REQUIRE(vectors.size() == 1);
  for (const std::string kind : {"thread", "process", "async"}) {
    for (auto vector : vectors) {
      INFO("vector: ", vector["name"].get<std::string>(), " on the ", kind, " queue");
      const TemporaryFolder for_json;
      const TemporaryFolder for_text;
      const CheckpointFolders checkpoints{for_json.path(), for_text.path()};
      check_vector(vector, kind, checkpoints);
      vector["expect"] = vector["expect_run2"];
      check_vector(vector, kind, checkpoints);
    }
  }
}
