// SPDX-License-Identifier: MIT
// What becomes of processes that a command leaves behind.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>

#include <doctest/doctest.h>

#include "process/kept_groups.hpp"
#include "process/running.hpp"
#include "support/process_guard.hpp"

using namespace osiiso;
using namespace osiiso::test;
using namespace std::chrono_literals;

TEST_CASE("processes that hold the streams delay nothing, and are killed") {
  const ProcessGuard guard;
  CHECK_FALSE(run_child("leave_behind", {"3"}).cause);
  CHECK(run(Command::shell("sleep 1000 & echo done")).output.stdout_text == "done\n");
}

TEST_CASE("a process that goes on writing delays nothing") {
  const ProcessGuard guard;
  const Signpost signpost;
  Command command =
      Command::shell(child("flood") + " 0 0 $SIGNPOST & read passed <$SIGNPOST; echo done");
  command.with_variable("SIGNPOST", signpost.fifo());
  const Ended ended = run(command);
  CHECK_FALSE(ended.cause);
  CHECK(ended.output.stdout_bytes > 0);
}

TEST_CASE("with leak fail a command fails for what it leaves behind") {
  const ProcessGuard guard;
  const auto strict = settings({.leak = Leak::fail});
  const Ended two = run(Command::argv({child("leave_behind"), "2"}, strict));
  CHECK(two.cause == Cause::leak);
  CHECK(two.message == "left 2 processes behind");
  CHECK(two.output.exit_code == 0);
  CHECK(run(Command::argv({child("leave_behind"), "1"}, strict)).message ==
        "left 1 process behind");
  CHECK_FALSE(run(Command::argv({child("leave_behind"), "0"}, strict)).cause);
  CHECK(run(Command::shell("sleep 1000 & exit 3", strict)).cause == Cause::exit);
}

TEST_CASE("with leak keep processes live on until the run ends") {
  const ProcessGuard guard;
  const auto keep = settings({.leak = Leak::keep});
  CHECK_FALSE(run(Command::argv({"true"}, keep)).cause);
  CHECK(process::stop_kept("run", 1000s) == 0);

  const Ended started = run(Command::shell("sleep 1000 & echo $!", keep));
  CHECK_FALSE(started.cause);
  const pid_t server = std::stoi(started.output.stdout_text);
  const Ended deaf = run(Command::shell("trap '' TERM; sleep 1000 & echo $!", keep));
  CHECK(is_running(server));
  CHECK(process::stop_kept("run", 20ms) == 2);
  CHECK_FALSE(is_running(server));
  CHECK_FALSE(is_running(std::stoi(deaf.output.stdout_text)));
}

TEST_CASE("what is kept may print as much as it likes") {
  const ProcessGuard guard;
  const Signpost begun;
  const Signpost printed;
  Command command = Command::shell("(read begun <$BEGUN; " + child("flood") +
                                       " 1000000 1000000; echo $? >$PRINTED; exec sleep 1000) &",
                                   settings({.leak = Leak::keep}));
  command.with_variable("BEGUN", begun.fifo()).with_variable("PRINTED", printed.fifo());
  CHECK_FALSE(run(command).cause);
  std::ofstream(begun.fifo()) << "begun\n";
  CHECK(printed.wait() == "0\n");
  CHECK(process::stop_kept("run", 1000s) == 1);
}

TEST_CASE("a stop ends a command that would keep its processes") {
  const ProcessGuard guard;
  const Signpost signpost;
  Command command =
      Command::shell("sleep 1000 & : >$SIGNPOST; sleep 1000", settings({.leak = Leak::keep}));
  command.with_variable("SIGNPOST", signpost.fifo());
  Running running(command);
  signpost.wait();
  running.stop({.grace = 1000s});
  CHECK(running.end().output.signal == SIGTERM);
  CHECK(process::stop_kept("run", 0s) == 0);
}
