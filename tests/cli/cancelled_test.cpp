// SPDX-License-Identifier: MIT
#include <regex>
#include <string>

#include <doctest/doctest.h>

#include "cli/osiiso.hpp"
#include "support/process_guard.hpp"

using osiiso::test::ProcessGuard;
using osiiso::test::read_file;
using osiiso::test::run_osiiso;
using osiiso::test::TemporaryFolder;

namespace {

std::string tasks(int count) {
  std::string job = "tasks:\n";
  for (int i = 1; i <= count; ++i) {
    job += "  - {name: t" + std::to_string(i) + ", command: exec sleep 600}\n";
  }
  return job;
}

/// With all times the same.
std::string timeless(const std::string& text) {
  return std::regex_replace(text, std::regex("\\([0-9]+\\.[0-9]s\\)"), "(1.0s)");
}

bool says(const std::string& text, const std::string& line) {
  return ("\n" + timeless(text)).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("after a timeout, what ran is named and what was never started is counted") {
  const ProcessGuard guard;
  const std::string line =
      "osiiso: cancelled while running: 't1' (1.0s), 't2' (1.0s); 1 task was never started";
  for (const char* queue : {"thread", "process", "async"}) {
    CAPTURE(queue);
    const auto ended =
        run_osiiso({"run", "-", "-j2", "--timeout", "1s", "--queue", queue}, tasks(3));
    CHECK(ended.exit_code == 124);
    CHECK(says(ended.err, line));
  }
  CHECK(run_osiiso({"run", "-", "-q", "-j2", "--timeout", "1s"}, tasks(3)).err.empty());
}

TEST_CASE("of many that ran, ten are named") {
  const ProcessGuard guard;
  const auto ended = run_osiiso({"run", "-", "-j13", "--timeout", "1s"}, tasks(13));
  CHECK(timeless(ended.err).find("'t10' (1.0s) and 3 more\n") != std::string::npos);
  CHECK(ended.err.find("'t11'") == std::string::npos);
}

TEST_CASE("map names what ran, too") {
  const ProcessGuard guard;
  const auto ended =
      run_osiiso({"map", "-j1", "--timeout", "1s", "sleep", ":::", "601", "602", "603"});
  CHECK(says(ended.err,
             "osiiso: cancelled while running: 'sleep 601' (1.0s); 2 tasks were never started"));
}

TEST_CASE("tasks whose need failed are told with it, one line a need") {
  const ProcessGuard guard;
  std::string job =
      "tasks:\n"
      "  - {name: test, command: exit 3}\n"
      "  - {name: deploy, command: 'true', needs: [test]}\n"
      "  - {name: mail, command: 'true', needs: [deploy]}\n"
      "  - {name: post, command: 'true', needs: [deploy]}\n";
  const auto ended = run_osiiso({"run", "-"}, job);
  CHECK(says(ended.err, "osiiso: 'deploy' was not started: needs 'test', which failed"));
  CHECK(says(ended.err, "osiiso: 2 tasks were not started: needs 'deploy', which was cancelled"));
  for (int i = 1; i <= 12; ++i) {
    const auto number = std::to_string(i);
    job += "  - {name: f" + number + ", command: exit 3}\n";
    job += "  - {name: n" + number + ", command: 'true', needs: [f" + number + "]}\n";
  }
  const auto many = run_osiiso({"run", "-"}, job);
  CHECK(says(many.err, "osiiso: 4 tasks were not started for other needs"));
}

TEST_CASE("needs are told in order of submission, whatever failed first") {
  const ProcessGuard guard;
  std::string job = "tasks:\n";
  for (int i = 1; i <= 12; ++i) {
    const auto number = std::to_string(i);
    job +=
        "  - {name: f" + number + ", command: exit 3, priority: " + std::to_string(20 - i) + "}\n";
    job += "  - {name: n" + number + ", command: 'true', needs: [f" + number + "]}\n";
  }
  const auto ended = run_osiiso({"run", "-", "-j1"}, job);
  CHECK(ended.err.find("'n1' was not started: needs 'f1', which failed\n"
                       "osiiso: 'n2' was not started") != std::string::npos);
  CHECK(says(ended.err, "osiiso: 2 tasks were not started for other needs"));
}

TEST_CASE("GitHub gets an error for a run that was cut short, and a summary of what it lost") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  auto invocation = osiiso::test::osiiso_with(
      {"run", "-", "-j2", "--timeout", "1s"},
      "tasks: [{name: t1, command: exec sleep 600}, {name: bad, command: exit 3}, "
      "{name: t2, command: exec sleep 600}, {name: t3, command: 'true'}]");
  invocation.env = {{"GITHUB_ACTIONS", "true"}, {"GITHUB_STEP_SUMMARY", folder.path() + "/step"}};
  const auto ended = osiiso::test::run_program(invocation);
  CHECK(says(ended.err,
             "::error title=osiiso::the run's timeout passed; running then: 't1' (1.0s), 't2' "
             "(1.0s); 1 task was never started"));
  CHECK(says(ended.err, "::error title=bad::exit status 3"));
  const auto step = read_file(folder.path() + "/step");
  CHECK(step.find("- cancelled while running&#58; &#39;t1&#39; ") != std::string::npos);
}
