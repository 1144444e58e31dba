// SPDX-License-Identifier: MIT
#include "osiiso/own_process.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "process/process_list.hpp"
#include "support/process_guard.hpp"
#include "support/program.hpp"

// The process that a test sees is the guardian; the program is its only child.

using namespace osiiso;
using namespace osiiso::test;

namespace {

Invocation owner(std::vector<std::string> words) {
  words.insert(words.begin(), OSIISO_OWNER);
  return {.arguments = std::move(words), .own_group = true};
}

/// Processes below: plain, in another session, an orphan without streams, and a deaf one.
std::string all_kinds(const std::string& marker) {
  return "sleep " + marker + " & setsid sleep " + marker + " & (setsid sleep " + marker +
         " </dev/null >/dev/null 2>&1 &) ; (trap '' TERM INT HUP; sleep " + marker + ") & ";
}
constexpr int kAllKinds = 4;

int count_sleeping(const std::string& marker) {
  int count = 0;
  process::for_each_process([&](const process::ListedProcess& process) {
    const auto words = read_file("/proc/" + std::to_string(process.pid) + "/cmdline");
    if (words == std::string("sleep\0", 6) + marker + '\0') ++count;
  });
  return count;
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  process::for_each_process([&](const process::ListedProcess& process) {
    if (process.parent == parent) children.push_back(process.pid);
  });
  return children;
}

pid_t child_of(pid_t parent) {
  std::vector<pid_t> children;
  REQUIRE(eventually([&] {
    children = children_of(parent);
    return !children.empty();
  }));
  return children.front();
}

pid_t program_of(const RunningProgram& guardian) {
  return child_of(guardian.pid());
}

bool is_alive(pid_t pid) {
  bool found = false;
  process::for_each_process([&](const process::ListedProcess& process) {
    if (process.pid == pid) found = true;
  });
  return found;
}

bool is_stopped(pid_t pid) {
  bool stopped = false;
  process::for_each_process([&](const process::ListedProcess& process) {
    if (process.pid == pid) stopped = process.is_stopped;
  });
  return stopped;
}

}  // namespace

TEST_CASE("the guardian ends as the program does") {
  const ProcessGuard guard;
  CHECK(run_program(owner({"exit", "0"})).exit_code == 0);
  CHECK(run_program(owner({"exit", "3"})).exit_code == 3);
  for (const int signal : {SIGTERM, SIGHUP, SIGKILL, SIGSEGV, SIGUSR1}) {
    CAPTURE(signal);
    CHECK(run_program(owner({"die", std::to_string(signal)})).signal == signal);
  }
}

TEST_CASE("nothing outlives a program that ends by itself") {
  const ProcessGuard guard;
  CHECK(run_program(owner({"leave", all_kinds("71101")})).exit_code == 5);
  CHECK(count_sleeping("71101") == 0);
}

TEST_CASE("whichever of the two is killed, everything ends") {
  for (const bool kill_guardian : {false, true}) {
    CAPTURE(kill_guardian);
    RunningProgram running(owner({"start", all_kinds("71102") + "wait"}));
    REQUIRE(eventually([] { return count_sleeping("71102") == kAllKinds; }));
    const pid_t program = program_of(running);
    ::kill(kill_guardian ? running.pid() : program, SIGKILL);
    CHECK(running.wait().signal == SIGKILL);
    CHECK(eventually([] { return count_sleeping("71102") == 0; }));
    CHECK(eventually([&] { return !is_alive(program); }));
  }
}

TEST_CASE("whatever its threads do when the guardian is killed, everything ends") {
  for (int round = 0; round < 10; ++round) {
    CAPTURE(round);
    RunningProgram running(owner({"allocate", "sleep 71109"}));
    REQUIRE(eventually([] { return count_sleeping("71109") == 1; }));
    const pid_t program = program_of(running);
    running.send(SIGKILL);
    CHECK(running.wait().signal == SIGKILL);
    CHECK(eventually([] { return count_sleeping("71109") == 0; }));
    CHECK(eventually([&] { return !is_alive(program); }));
  }
}

TEST_CASE("a suspended program whose guardian is killed dies as well") {
  RunningProgram running(owner({"suspend", "sleep 71103"}));
  REQUIRE(eventually([] { return count_sleeping("71103") == 1; }));
  const pid_t program = program_of(running);
  running.send(SIGTSTP);
  REQUIRE(eventually([&] { return is_stopped(running.pid()); }));
  running.send(SIGKILL);
  CHECK(running.wait().signal == SIGKILL);
  CHECK(eventually([] { return count_sleeping("71103") == 0; }));
  CHECK(eventually([&] { return !is_alive(program); }));
}

TEST_CASE("SIGKILL to the group ends everything below a program that has left it") {
  for (const std::string act : {"start", "suspend"}) {
    CAPTURE(act);
    RunningProgram running(owner({"apart", act, all_kinds("71108") + "wait"}));
    REQUIRE(eventually([] { return count_sleeping("71108") == kAllKinds; }));
    const pid_t program = program_of(running);
    if (act == "suspend") {
      running.send(SIGTSTP);
      REQUIRE(eventually([&] { return is_stopped(running.pid()); }));
    }
    ::kill(-running.pid(), SIGKILL);
    CHECK(running.wait().signal == SIGKILL);
    CHECK(eventually([] { return count_sleeping("71108") == 0; }));
    CHECK(eventually([&] { return !is_alive(program); }));
  }
}

TEST_CASE("a program that has left the group gets once what is sent to it") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  const std::string out = folder.write("out", "");
  auto invocation = owner({"apart", "hear"});
  invocation.stdout_path = out;
  RunningProgram running(invocation);
  std::string expected = "ready\n";
  REQUIRE(eventually([&] { return read_file(out) == expected; }));
  for (const int signal : {SIGINT, SIGUSR1, SIGTERM}) {
    ::kill(-running.pid(), signal);
    expected += std::to_string(signal) + "\n";
    REQUIRE(eventually([&] { return read_file(out) == expected; }));
  }
  CHECK(running.wait().exit_code == 0);
}

TEST_CASE("signals to the guardian reach the program") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  const std::string out = folder.write("out", "");
  auto invocation = owner({"hear"});
  invocation.stdout_path = out;
  RunningProgram running(invocation);
  std::string expected = "ready\n";
  REQUIRE(eventually([&] { return read_file(out) == expected; }));
  for (const int signal : {SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGTERM}) {
    running.send(signal);
    expected += std::to_string(signal) + "\n";
    REQUIRE(eventually([&] { return read_file(out) == expected; }));
  }
  CHECK(running.wait().exit_code == 0);
}

TEST_CASE("a stopped program is a stopped job, and goes on with it") {
  const ProcessGuard guard;
  RunningProgram running(owner({"start", "sleep 71104"}));
  REQUIRE(eventually([] { return count_sleeping("71104") == 1; }));
  const pid_t program = program_of(running);
  for (const int signal : {SIGTSTP, SIGSTOP}) {
    CAPTURE(signal);
    // SIGSTOP cannot be passed on: it is for the program itself.
    ::kill(signal == SIGSTOP ? program : running.pid(), signal);
    REQUIRE(eventually([&] { return is_stopped(running.pid()); }));
    CHECK(is_stopped(program));
    running.send(SIGCONT);
    REQUIRE(eventually([&] { return !is_stopped(running.pid()) && !is_stopped(program); }));
  }
  running.send(SIGTERM);
  CHECK(running.wait().signal == SIGTERM);
  CHECK(count_sleeping("71104") == 0);
}

TEST_CASE("where it is asked for, the death of the parent ends the program") {
  const ProcessGuard guard;
  for (const bool watch : {true, false}) {
    CAPTURE(watch);
    const std::string words = std::string(OSIISO_OWNER) + (watch ? " watch" : "");
    RunningProgram shell({.arguments = {"/bin/sh", "-c", words + " start 'sleep 71105'; :"}});
    REQUIRE(eventually([] { return count_sleeping("71105") == 1; }));
    const pid_t guardian = program_of(shell);
    shell.send(SIGKILL);
    CHECK(shell.wait().signal == SIGKILL);
    if (!watch) {
      CHECK(count_sleeping("71105") == 1);
      ::kill(guardian, SIGTERM);
    }
    CHECK(eventually([] { return count_sleeping("71105") == 0; }));
  }
}

TEST_CASE("a suspension stops all below, and the clock; what was stopped before stays stopped") {
  const ProcessGuard guard;
  const auto begin = std::chrono::steady_clock::now();
  RunningProgram running(owner({"suspend", "setsid sleep 71106 & sleep 71107 & wait"}));
  REQUIRE(eventually([] { return count_sleeping("71106") + count_sleeping("71107") == 2; }));
  const pid_t program = program_of(running);
  const auto find = [](const std::string& marker) {
    pid_t found = 0;
    process::for_each_process([&](const process::ListedProcess& process) {
      const auto words = read_file("/proc/" + std::to_string(process.pid) + "/cmdline");
      if (words == std::string("sleep\0", 6) + marker + '\0') found = process.pid;
    });
    return found;
  };
  const pid_t other_session = find("71106");
  const pid_t already = find("71107");
  ::kill(already, SIGSTOP);
  REQUIRE(eventually([&] { return is_stopped(already); }));

  running.send(SIGTSTP);
  REQUIRE(eventually([&] { return is_stopped(running.pid()); }));
  CHECK(is_stopped(program));
  CHECK(eventually([&] { return is_stopped(other_session); }));
  const auto stopped_at = std::chrono::steady_clock::now();
  ::usleep(300'000);
  const std::chrono::duration<double> pause = std::chrono::steady_clock::now() - stopped_at;
  running.send(SIGCONT);
  REQUIRE(eventually([&] { return !is_stopped(other_session) && !is_stopped(program); }));
  CHECK(is_stopped(already));
  running.send(SIGTERM);
  const auto ended = running.wait();
  const std::chrono::duration<double> all = std::chrono::steady_clock::now() - begin;
  CHECK(std::stod(ended.out) <= all.count() - pause.count());
}
