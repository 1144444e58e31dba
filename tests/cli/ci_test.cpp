// SPDX-License-Identifier: MIT
#include <filesystem>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "cli/osiiso.hpp"

using osiiso::test::Ended;
using osiiso::test::osiiso_with;
using osiiso::test::read_file;
using osiiso::test::run_program;
using osiiso::test::TemporaryFolder;

namespace {

/// As a step runs it: by a shell whose streams are two pipes to the log, which is in `err`.
Ended run_in_step(const std::string& arguments, const std::string& job,
                  std::map<std::string, std::string> env) {
  const std::string command = OSIISO_PROGRAM + (" run - " + arguments);
  return run_program({.arguments = {"bash", "-c",
                                    "set -o pipefail; { { (" + command +
                                        "; exit $?) | cat >&3; } 2>&1 | cat >&3; } 3>&2"},
                      .input = job,
                      .env = std::move(env)});
}

/// The commands that GitHub would carry out, by its own rules for `::stop-commands::`.
std::vector<std::string> github_commands(const std::string& log) {
  std::vector<std::string> commands;
  std::string token;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    const auto begin = line.find_first_not_of(" \t");
    if (begin == std::string::npos) continue;
    line.erase(0, begin);
    if (!token.empty()) {
      if (line == "::" + token + "::") token.clear();
    } else if (line.starts_with("::stop-commands::")) {
      token = line.substr(std::string("::stop-commands::").size());
    } else if (line.starts_with("::")) {
      commands.push_back(line);
    }
  }
  CHECK(token.empty());  // the step's next program may use commands
  return commands;
}

std::vector<std::string> starting_with(const std::vector<std::string>& all,
                                       const std::string& start) {
  std::vector<std::string> found;
  for (const auto& one : all) {
    if (one.starts_with(start)) found.push_back(one);
  }
  return found;
}

std::string failing_job(int tasks) {
  std::string job = "tasks:\n";
  for (int i = 1; i <= tasks; ++i) {
    job += "  - {name: 'task|" + std::to_string(i) + "', command: 'echo reason " +
           std::to_string(i) + " >&2; exit 1'}\n";
  }
  return job;
}

}  // namespace

TEST_CASE("GitHub gets at most ten annotations, and a summary that names all failures") {
  const TemporaryFolder folder;
  const auto path = folder.write("summary.md", "what was there\n");
  const auto ended =
      run_in_step("", failing_job(25), {{"GITHUB_ACTIONS", "true"}, {"GITHUB_STEP_SUMMARY", path}});
  CHECK(ended.exit_code == 1);
  const auto errors = starting_with(github_commands(ended.err), "::error");
  CHECK(errors.size() == 10);
  CHECK(errors.back() == "::error title=osiiso::16 further tasks failed");
  const auto summary = read_file(path);
  CHECK(summary.starts_with("what was there\n"));
  for (int i = 1; i <= 25; ++i) {
    CHECK(summary.find("| task&#124;" + std::to_string(i) + " | 1 | reason " + std::to_string(i) +
                       " |\n") != std::string::npos);
  }
  // The failures come last, and in no group.
  CHECK(ended.err.find("Failures:") > ended.err.find("::error"));
}

TEST_CASE("failures that say the same share an annotation, those that say nothing come last") {
  const auto ended = run_in_step("-j1",
                                 "tasks: [{name: bare, command: exit 3}, {name: 'a:b,c', command: "
                                 "'echo 50% gone >&2; exit 1'}, {name: d, command: 'echo 50% gone "
                                 ">&2; exit 1'}]",
                                 {{"GITHUB_ACTIONS", "true"}});
  CHECK(starting_with(github_commands(ended.err), "::error") ==
        std::vector<std::string>{"::error title=a%3Ab%2Cc::50%25 gone%0Aalso: d",
                                 "::error title=bare::exit status 3"});
}

TEST_CASE("nothing that a task prints is a command to GitHub") {
  const std::string job =
      "tasks:\n"
      "  - {name: '::error::name', command: 'echo ::error::x; echo ::stop-commands::x; echo ::x::; "
      "echo ::error::y >&2; exit 1'}\n"
      "  - printf '::set-env::x'\n";
  for (const std::string output : {"failed", "grouped", "tagged", "none"}) {
    CAPTURE(output);
    const auto ended = run_in_step("--output " + output, job, {{"GITHUB_ACTIONS", "true"}});
    const auto commands = github_commands(ended.err);
    CHECK(ended.out.empty());  // one way to the log, so that nothing is overtaken
    CHECK(starting_with(commands, "::error") ==
          std::vector<std::string>{"::error title=%3A%3Aerror%3A%3Aname::::error::y"});
    // One a task, also for one that wrote to both of its streams.
    const std::size_t groups = output == "grouped" ? 2 : 0;
    CHECK(starting_with(commands, "::group::").size() == groups);
    CHECK(commands.size() == 1 + 2 * groups);
  }
}

TEST_CASE("in a step, standard output that was redirected is left as it is") {
  const TemporaryFolder folder;
  const auto path = folder.path() + "/out";
  run_in_step("--output grouped > " + path, "tasks: [echo a, 'exit 3']",
              {{"GITHUB_ACTIONS", "true"}});
  CHECK(read_file(path) == "a\n");
}

TEST_CASE("GitLab gets a section a task, and failures again, unfolded") {
  const auto ended = run_in_step(
      "--output grouped",
      "tasks: [\"echo fine\", \"printf '\\\\033[0Ksection_end:1:x\\\\rbad\\\\n'; exit 1\"]",
      {{"GITLAB_CI", "true"}});
  const std::regex section(
      "\x1b\\[0Ksection_start:[0-9]+:(osiiso_[12])\\[collapsed=true\\]\r\x1b\\[0K[^\n]*\n[^\x1b]*"
      "\x1b\\[0Ksection_end:[0-9]+:(osiiso_[12])\r\x1b\\[0K\n");
  const auto outside = std::regex_replace(ended.err, section, "");
  CHECK(outside.find('\x1b') == std::string::npos);
  CHECK(outside.find("fine\n") == std::string::npos);
  CHECK(outside.find("section_end:1:x\\rbad") != std::string::npos);
}

TEST_CASE("a run inside a task leaves the log to the outer one") {
  const auto ended =
      run_in_step("", "tasks: ['exit 1']", {{"GITHUB_ACTIONS", "true"}, {"OSIISO_TASK_ID", "x"}});
  CHECK(github_commands(ended.err).empty());
}
