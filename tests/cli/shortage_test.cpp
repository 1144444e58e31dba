// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "cli/osiiso.hpp"
#include "support/process_guard.hpp"

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

/// A program as a user of its own, who may have so many processes and threads.
Invocation with_processes(int limit, int user, Invocation invocation) {
  auto& words = invocation.arguments;
  const auto id = std::to_string(user);
  words.insert(words.begin(), {"prlimit", "--core=0", "--nproc=" + std::to_string(limit), "setpriv",
                               "--reuid", id, "--regid", id, "--clear-groups"});
  invocation.folder = "/";
  invocation.env["ASAN_OPTIONS"] = "detect_leaks=0";  // takes a process more
  return invocation;
}

/// Only root can be another user, and root has no such limit itself.
bool can_limit_processes() {
  constexpr int kUser = 71100;
  return ::geteuid() == 0 &&
         run_program(with_processes(8, kUser, osiiso_with({"--version"}))).exit_code == 0;
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

TEST_CASE("a low limit of processes and threads ends in a cause, wherever it is reached") {
  const ProcessGuard guard;
  if (!can_limit_processes()) return;
  const std::string job = "tasks:\n  - exec sleep 0.05\n  - exec sleep 0.05\n";
  struct Run {
    std::string queue;
    int limit;
    std::unique_ptr<RunningProgram> program;
  };
  // All at the same time: what never comes is waited for.
  std::vector<Run> runs;
  for (const std::string queue : {"thread", "process", "async"}) {
    for (const int limit : {2, 3, 4, 5, 6, 7, 8, 9, 30}) {
      const int user = 71101 + static_cast<int>(runs.size());
      const auto invocation = with_processes(
          limit, user,
          osiiso_with({"run", "-", "-j1", "--json", "--progress", "none", "--queue", queue}, job));
      runs.push_back({queue, limit, std::make_unique<RunningProgram>(invocation)});
    }
  }
  for (auto& run : runs) {
    const auto ended = run.program->wait();
    CAPTURE(run.queue);
    CAPTURE(run.limit);
    CAPTURE(ended.err);
    REQUIRE(ended.exit_code);
    if (run.limit == 30) CHECK(ended.exit_code == 0);
    if (ended.exit_code == 70) {
      CHECK(ended.err.starts_with("osiiso: cannot start "));
      CHECK(ended.err.ends_with(": Resource temporarily unavailable\n"));
    } else if (ended.exit_code != 0) {
      CHECK(ended.exit_code == 1);
      const auto summary = nlohmann::json::parse(ended.out);
      for (const auto& result : summary.at("results")) {
        CHECK(result.at("exception").at("kind") == "spawn");
        const auto message = result.at("message").get<std::string>();
        CHECK(message.ends_with(": Resource temporarily unavailable"));
      }
    }
  }
}

TEST_CASE("a worker process that has no second thread for a function says so") {
  const ProcessGuard guard;
  if (!can_limit_processes()) return;
  std::vector<std::unique_ptr<RunningProgram>> programs;
  for (const int limit : {2, 3, 4, 5, 6}) {
    Invocation one_function;
    one_function.arguments = {OSIISO_ONE_FUNCTION};
    programs.push_back(std::make_unique<RunningProgram>(
        with_processes(limit, 71200 + limit, std::move(one_function))));
  }
  bool lacked_listener = false;
  for (auto& program : programs) {
    lacked_listener |= program->wait().out ==
                       "failed: a worker process cannot start its second thread: Resource "
                       "temporarily unavailable\n";
  }
  CHECK(lacked_listener);
}
