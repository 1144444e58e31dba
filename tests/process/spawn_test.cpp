// SPDX-License-Identifier: MIT
// What a child has of us, and what it has not.
#include "process/spawn.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "base/descriptor.hpp"
#include "process/child_run.hpp"
#include "process/command_run.hpp"
#include "process/launch.hpp"
#include "process/running.hpp"
#include "support/process_guard.hpp"

using namespace osiiso;
using namespace osiiso::test;

TEST_CASE("a child has three descriptors, whatever the host left open") {
  const ProcessGuard guard;
  const base::Descriptor low(::open("/dev/null", O_RDONLY));
  const base::Descriptor high(::fcntl(low.get(), F_DUPFD, 900));
  REQUIRE(high);
  CHECK(run_child("print_fds").output.stdout_text == "0 1 2 ");
}

TEST_CASE("a host without standard streams can start children") {
  const ProcessGuard guard;
  for (const std::vector<int>& closed :
       std::vector<std::vector<int>>{{0}, {1}, {2}, {0, 1}, {1, 2}, {0, 2}, {0, 1, 2}}) {
    std::array<base::Descriptor, 3> saved;
    for (const int number : closed) {
      saved[static_cast<std::size_t>(number)] =
          base::Descriptor(::fcntl(number, F_DUPFD_CLOEXEC, 10));
    }
    for (const int number : closed) ::close(number);
    const Ended fds = run_child("print_fds");
    const Ended streams = run(Command::shell("cat; echo err >&2", settings({.stdin_text = "in"})));
    for (const int number : closed) ::dup2(saved[static_cast<std::size_t>(number)].get(), number);
    CHECK(fds.output.stdout_text == "0 1 2 ");
    CHECK(streams.output.stdout_text == "in");
    CHECK(streams.output.stderr_text == "err\n");
  }
}

TEST_CASE("a child has default dispositions, an empty mask and a session of its own") {
  const ProcessGuard guard;
  sigset_t some;
  sigset_t before;
  ::sigemptyset(&some);
  ::sigaddset(&some, SIGUSR1);
  ::sigaddset(&some, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &some, &before);
  const auto pipe_before = std::signal(SIGPIPE, SIG_IGN);
  const auto int_before = std::signal(SIGINT, SIG_IGN);
  const auto usr2_before = std::signal(SIGUSR2, [](int) {});
  const Ended ended = run_child("print_signals");
  std::signal(SIGPIPE, pipe_before);
  std::signal(SIGINT, int_before);
  std::signal(SIGUSR2, usr2_before);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  CHECK_FALSE(ended.cause);
  CHECK(ended.output.stdout_text == "");
}

TEST_CASE("a launch pad hears of a signal that the program begins to ignore or to handle") {
  const auto set_of = [](int signal) { return process::SignalSet{1} << (signal - 1); };
  const process::SignalSet both = set_of(SIGURG) | set_of(SIGIO);
  process::LaunchPad pad;
  CHECK((pad.signals_to_reset() & both) == 0);
  const auto urg_before = std::signal(SIGURG, SIG_IGN);
  const auto io_before = std::signal(SIGIO, [](int) {});
  std::this_thread::sleep_for(std::chrono::milliseconds(11));
  CHECK((pad.signals_to_reset() & both) == both);
  std::signal(SIGURG, urg_before);
  std::signal(SIGIO, io_before);
}

TEST_CASE("a pad that has started one command gives the next one the same") {
  const ProcessGuard guard;
  process::CommandRunner runner;
  const TaskContext context(identity(), std::make_shared<base::StopState>());
  for (int turn = 0; turn < 2; ++turn) {
    CHECK(runner.run(Command::argv({child("print_fds")}), context).stdout_text == "0 1 2 ");
    CHECK(runner.run(Command::shell("readlink /proc/self/fd/0"), context).stdout_text ==
          "/dev/null\n");
    CHECK(runner.run(Command::shell("cat", settings({.stdin_text = "in"})), context).stdout_text ==
          "in");
    CHECK(runner.run(Command::argv({child("print_signals")}), context).stdout_text == "");
  }
}

TEST_CASE("children can get another limit of descriptors") {
  const ProcessGuard guard;
  process::set_child_descriptor_limit(123);
  const Ended limited = run(Command::shell("ulimit -n"));
  process::set_child_descriptor_limit({});
  CHECK(limited.output.stdout_text == "123\n");

  rlimit own{};
  ::getrlimit(RLIMIT_NOFILE, &own);
  CHECK(run(Command::shell("ulimit -n")).output.stdout_text == std::to_string(own.rlim_cur) + "\n");
}

TEST_CASE("a lack of descriptors is told and leaves nothing behind") {
  const ProcessGuard guard;
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const TaskContext context(identity(), std::make_shared<base::StopState>());
  process::LaunchPad pad;
  int succeeded = 0;
  int next = 0;
  { next = base::make_eventfd().get(); }  // the lowest that is free
  for (rlim_t room = 0; room < 12; ++room) {
    const rlimit narrow{static_cast<rlim_t>(next) + room, before.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &narrow);
    std::string message;
    try {
      const process::Launch launch(Command::argv({"true"}), context, pad);
      const process::ChildRun child(launch);
      ++succeeded;
    } catch (const SystemError& failed) {
      message = failed.what();
    }
    ::setrlimit(RLIMIT_NOFILE, &before);
    CAPTURE(message);
    CHECK((message.empty() || message.ends_with(": Too many open files")));
  }
  CHECK(succeeded > 0);
}

TEST_CASE("threads that spawn at once give their children nothing of each other") {
  const ProcessGuard guard;
  std::atomic<int> right = 0;
  {
    const auto spawn_many = [&] {
      for (int count = 0; count < 500; ++count) {
        right += run_child("print_fds").output.stdout_text == "0 1 2 ";
      }
    };
    const std::jthread one(spawn_many);
    const std::jthread other(spawn_many);
  }
  CHECK(right == 1000);
}
