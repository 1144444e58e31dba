// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "cli/osiiso.hpp"
#include "cli/terminal.hpp"

using osiiso::test::count_in_state;
using osiiso::test::count_processes;
using osiiso::test::eventually;
using osiiso::test::read_file;
using osiiso::test::TemporaryFolder;
using osiiso::test::Terminal;

// What is typed is echoed, so that the tests look for texts that are not in what they type.

namespace {

constexpr const char* kCtrlC = "\x03";
constexpr const char* kCtrlZ = "\x1a";

std::string arguments(const std::string& one, const std::string& next) {
  return one + '\0' + next;
}

std::string sleeping(const std::string& seconds) {
  return arguments("sleep", seconds);
}

std::string run_line(const std::string& job) {
  return std::string(OSIISO_PROGRAM) + " run " + job + "; echo ended $((1000+$?))\n";
}

}  // namespace

TEST_CASE("Ctrl-Z stops all tasks, fg lets them go on, and no timeout counts the pause") {
  const TemporaryFolder folder;
  // Ten seconds are allowed: the waits of this test add up to a part of them at most.
  const auto job = folder.write("job.yaml",
                                "tasks:\n"
                                "  - {name: plain, command: sleep 4.321, timeout: 5s}\n"
                                "  - {name: other session, command: setsid -w sleep 4.321}\n");
  for (const std::string kind : {"thread", "process", "async"}) {
    CAPTURE(kind);
    Terminal terminal;
    terminal.type("set -m; export OSIISO_QUEUE=" + kind + " OSIISO_WORKERS=2\n");
    terminal.type(std::string(OSIISO_PROGRAM) + " run " + job + "; echo status $((1000+$?))\n");
    REQUIRE(eventually([] { return count_processes(sleeping("4.321")) == 2; }));
    terminal.type(kCtrlZ);
    REQUIRE(terminal.shows("Stopped"));
    CHECK(eventually([] { return count_in_state('T', sleeping("4.321")) == 2; }));
    ::sleep(5);
    CHECK(count_in_state('T', sleeping("4.321")) == 2);
    terminal.type("fg; echo ended $((1000+$?))\n");
    CHECK(terminal.shows("ended 1000"));
    CHECK(terminal.screen().find("PASSED") != std::string::npos);
  }
}

TEST_CASE("Ctrl-Z takes the bar away, and fg draws a new one below") {
  const TemporaryFolder folder;
  const auto job = folder.write("job.yaml", "tasks: [exec sleep 86051, exec sleep 86051]\n");
  Terminal terminal;
  terminal.resize(80, 24);
  terminal.type("set -m; " + std::string(OSIISO_PROGRAM) + " run -j2 " + job + "\n");
  for (unsigned round = 0; round < 50; ++round) {
    CAPTURE(round);
    REQUIRE(terminal.shows("2 running"));
    // The first frame goes over nothing.
    CHECK(terminal.screen().rfind("A\r", terminal.screen().find("2 running")) == std::string::npos);
    ::usleep(9'000 * (round % 15));  // the stop is to meet a frame, now before and now after it
    terminal.type(kCtrlZ);
    REQUIRE(terminal.shows("Stopped"));
    const auto erased = terminal.screen().rfind("A\r\x1b[J");
    REQUIRE(erased != std::string::npos);
    CHECK(terminal.screen().find("2 running", erased) == std::string::npos);
    terminal.forget();
    terminal.type("fg\n");
  }
  REQUIRE(terminal.shows("2 running"));
  terminal.type(kCtrlC);
  CHECK(terminal.shows("interrupted by SIGINT"));
  CHECK(eventually([] { return count_processes(sleeping("86051")) == 0; }));
}

TEST_CASE("no grace counts a pause") {
  // The shell itself makes the files: a process for it could be found and stopped as well.
  const std::string slow_to_end =
      "trap ': > asked; while [ ! -e go ]; do sleep 0.1; done; : > finished; exit' TERM; "
      ": > ready; while :; do sleep 0.1; done";
  const std::string left_behind =
      "command: \"(" + slow_to_end + ") & while [ ! -e ready ]; do sleep 0.1; done\"";
  struct Case {
    std::string task;
    const char* ending;
  };
  const std::vector<Case> cases = {{"timeout: 3s, command: \"" + slow_to_end + "\"", "ended 1001"},
                                   {left_behind, "ended 1000"},
                                   {"leak: keep, " + left_behind, "ended 1000"}};
  for (const Case& one : cases) {
    for (const std::string kind : {"thread", "process", "async"}) {
      CAPTURE(one.task);
      CAPTURE(kind);
      const TemporaryFolder folder;
      const auto job =
          folder.write("job.yaml", "queue: {grace: 5s}\ntasks:\n  - {cwd: " + folder.path() + ", " +
                                       one.task + "}\n");
      const auto exists = [&](const char* name) {
        return ::access((folder.path() + "/" + name).c_str(), F_OK) == 0;
      };
      Terminal terminal;
      terminal.type("set -m; " + run_line("--queue " + kind + " " + job));
      REQUIRE(eventually([&] { return exists("asked"); }));
      terminal.type(kCtrlZ);
      REQUIRE(terminal.shows("Stopped"));
      ::sleep(5);
      terminal.type("fg; echo ended $((1000+$?))\n");
      folder.write("go", "");
      CHECK(eventually([&] { return exists("finished"); }));
      CHECK(terminal.shows(one.ending));
    }
  }
}

TEST_CASE("Ctrl-C ends a run in order, a second one at once") {
  const TemporaryFolder folder;
  const auto job = folder.write(
      "job.yaml",
      "tasks:\n"
      "  - {name: ordinary, command: exec sleep 86011}\n"
      "  - {name: spared, command: \"trap '' INT TERM; sleep 86012; :\", must_complete: true}\n");
  Terminal terminal;
  terminal.type(run_line(job + " -j2"));
  REQUIRE(eventually([] {
    return count_processes(sleeping("86011")) == 1 && count_processes(sleeping("86012")) == 1;
  }));
  terminal.type(kCtrlC);
  REQUIRE(eventually([] { return count_processes(sleeping("86011")) == 0; }));
  CHECK(count_processes(sleeping("86012")) == 1);
  ::usleep(150'000);  // what comes within a moment counts as one
  terminal.type(kCtrlC);
  CHECK(terminal.shows("COMPLETED WITH ERRORS"));
  CHECK(eventually([] { return count_processes(sleeping("86012")) == 0; }));
}

TEST_CASE("a job can be typed by hand, and its report is shown in spite of tostop") {
  Terminal terminal;
  terminal.type("stty tostop\n");
  terminal.type(run_line("-j4 -"));
  // Both processes are there, so that no shell takes what is typed.
  REQUIRE(eventually([] { return count_processes(arguments("-j4", "-")) == 2; }));
  terminal.type("tasks: ['true']\n\x04");
  CHECK(terminal.shows("PASSED"));
  CHECK(terminal.shows("ended 1000"));
}

TEST_CASE("a stopped run goes on in the background, and a signal to the job ends it") {
  Terminal terminal;
  const TemporaryFolder folder;
  const auto job = folder.write("job.yaml", "tasks: [exec sleep 86031]\n");
  terminal.type("set -m; " + std::string(OSIISO_PROGRAM) + " run " + job + "\n");
  REQUIRE(eventually([] { return count_processes(sleeping("86031")) == 1; }));
  terminal.type(kCtrlZ);
  REQUIRE(terminal.shows("Stopped"));
  terminal.type("bg\n");
  CHECK(eventually([] { return count_in_state('S', sleeping("86031")) == 1; }));
  terminal.type("kill -INT %%\n");
  CHECK(terminal.shows("interrupted by SIGINT"));
  CHECK(eventually([] { return count_processes(sleeping("86031")) == 0; }));
}

TEST_CASE("SIGKILL to a job ends it all, even where it is stopped") {
  Terminal terminal;
  const TemporaryFolder folder;
  const auto job = folder.write("job.yaml", "tasks: [exec sleep 86041, setsid -w sleep 86041]\n");
  for (const bool is_stopped : {false, true}) {
    CAPTURE(is_stopped);
    terminal.type("set -m; " + std::string(OSIISO_PROGRAM) + " run -j2 " + job +
                  (is_stopped ? "" : " &") + "\n");
    REQUIRE(eventually([] { return count_processes(sleeping("86041")) == 2; }));
    if (is_stopped) {
      terminal.type(kCtrlZ);
      REQUIRE(terminal.shows("Stopped"));
    }
    terminal.type("kill -9 %%\n");
    CHECK(eventually([] { return count_processes(sleeping("86041")) == 0; }));
    CHECK(eventually([] { return count_processes(arguments("run", "-j2")) == 0; }));
  }
}

TEST_CASE("a terminal that is closed ends the run") {
  const TemporaryFolder folder;
  const auto job = folder.write("job.yaml", "tasks: [exec sleep 86021]\nfinally: ['echo yes > " +
                                                folder.path() + "/finally']\n");
  {
    Terminal terminal;
    terminal.type("exec " + std::string(OSIISO_PROGRAM) + " run " + job + "\n");
    REQUIRE(eventually([] { return count_processes(sleeping("86021")) == 1; }));
    terminal.hang_up();
    CHECK(eventually([&] { return read_file(folder.path() + "/finally") == "yes\n"; }));
  }
  CHECK(eventually([] { return count_processes(sleeping("86021")) == 0; }));
}
