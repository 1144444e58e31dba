// SPDX-License-Identifier: MIT
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "cli/osiiso.hpp"

using namespace osiiso::test;

// Where the system lacks what it takes to start a task, a run is slow and does not fail.

namespace {

std::string sleeping_tasks(int count) {
  std::string text = "tasks:\n";
  for (int i = 0; i < count; ++i) text += "  - exec sleep 0.05\n";
  return text;
}

Ended run_with_descriptors(int limit, const std::vector<std::string>& options, std::string job) {
  auto invocation = osiiso_with({"run", "-"}, std::move(job));
  auto& words = invocation.arguments;
  words.insert(words.end(), options.begin(), options.end());
  words.insert(words.begin(),
               {"/bin/sh", "-c", "ulimit -n " + std::to_string(limit) + " && exec \"$0\" \"$@\""});
  return run_program(invocation);
}

}  // namespace

TEST_CASE("a low limit of open files makes a run slow, and takes no attempt from a task") {
  for (const std::string queue : {"thread", "process", "async"}) {
    CAPTURE(queue);
    const auto ended =
        run_with_descriptors(20, {"-j8", "--json", "--queue", queue}, sleeping_tasks(24));
    CAPTURE(ended.err);
    CHECK(ended.exit_code == 0);
    const auto summary = nlohmann::json::parse(ended.out);
    for (const auto& result : summary.at("results")) CHECK(result.at("attempts") == 1);
  }
}

TEST_CASE("so it does with many more workers than the limit has room for") {
  const auto ended = run_with_descriptors(64, {"-j200", "--queue", "async"}, sleeping_tasks(300));
  CAPTURE(ended.out);
  CHECK(ended.exit_code == 0);
}

TEST_CASE("what never comes fails the task with its cause, and the timeout of an attempt holds") {
  for (const std::string queue : {"thread", "async"}) {
    CAPTURE(queue);
    const auto ended = run_with_descriptors(12, {"-j2", "--json", "--queue", queue},
                                            "tasks:\n  - {name: patient, command: ':'}\n"
                                            "  - {name: impatient, command: ':', timeout: 1s}\n");
    CAPTURE(ended.err);
    CHECK(ended.exit_code == 1);
    const auto results = nlohmann::json::parse(ended.out).at("results");
    const auto& patient = results.at(0);
    CHECK(patient.at("exception").at("kind") == "spawn");
    CHECK(patient.at("message").get<std::string>().ends_with(": Too many open files"));
    CHECK(patient.at("duration").get<double>() >= 10);
    const auto& impatient = results.at(1);
    CHECK(impatient.at("message") == "task 'impatient' exceeded 1s timeout");
    CHECK(impatient.at("duration").get<double>() < 10);
  }
}
