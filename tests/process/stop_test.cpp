// SPDX-License-Identifier: MIT
// How a command is stopped. That these tests end at all says that nothing sleeps for 1000 seconds.
#include <chrono>
#include <csignal>
#include <string>

#include <doctest/doctest.h>

#include "process/child_run.hpp"
#include "process/launch.hpp"
#include "process/run.hpp"
#include "process/running.hpp"
#include "support/process_guard.hpp"

using namespace osiiso;
using namespace osiiso::test;
using namespace std::chrono_literals;

namespace {

// Runs a command string with the signpost's FIFO as $SIGNPOST, and returns when it was passed.
class RunningShell {
 public:
  explicit RunningShell(const std::string& text) : running_(command(text)) { signpost_.wait(); }
  Running* operator->() { return &running_; }

 private:
  Command command(const std::string& text) const {
    Command made = Command::shell(text);
    return made.with_variable("SIGNPOST", signpost_.fifo());
  }

  Signpost signpost_;
  Running running_;
};

}  // namespace

TEST_CASE("a stop reaches the whole group") {
  const ProcessGuard guard;
  RunningShell running("sleep 1000 & sleep 1000 | sleep 1000 & : >$SIGNPOST; sleep 1000");
  running->stop({.grace = 1000s});
  const Ended ended = running->end();
  CHECK(ended.cause == Cause::signal);
  CHECK(ended.output.signal == SIGTERM);
  CHECK(ended.message == "killed by SIGTERM");
}

TEST_CASE("a stop begins with the signal that it names") {
  const ProcessGuard guard;
  RunningShell running(": >$SIGNPOST; exec sleep 1000");
  running->stop({.signal = SIGHUP, .grace = 1000s});
  CHECK(running->end().output.signal == SIGHUP);
}

TEST_CASE("a command that ignores SIGTERM is killed after the grace") {
  const ProcessGuard guard;
  const Signpost signpost;
  Running running(Command::argv({child("ignore_term"), signpost.fifo()}));
  signpost.wait();
  const auto start = std::chrono::steady_clock::now();
  running.stop({.grace = 50ms});
  CHECK(running.end().output.signal == SIGKILL);
  CHECK(std::chrono::steady_clock::now() - start >= 50ms);
}

TEST_CASE("a second stop kills at once one that had been given time") {
  const ProcessGuard guard;
  const Signpost signpost;
  Running running(Command::argv({child("ignore_term"), signpost.fifo()}));
  signpost.wait();
  running.stop({.grace = 1000s});
  running.stop({.grace = 0s});
  CHECK(running.end().output.signal == SIGKILL);
}

TEST_CASE("a second stop can bring the kill forward, not put it off") {
  const ProcessGuard guard;
  const TaskContext context(identity(), std::make_shared<base::StopState>());
  const Signpost signpost;
  process::LaunchPad pad;
  const process::Launch launch(Command::argv({child("ignore_term"), signpost.fifo()}), context,
                               pad);
  process::ChildRun run(launch);
  signpost.wait();

  const base::Instant now = base::now();
  CHECK_FALSE(run.deadline());
  run.stop({.grace = 20s}, now);
  run.on_deadline(now + 1s);  // the look for what has left the group
  CHECK(run.deadline() == now + 20s);
  run.stop({.grace = 30s}, now + 1s);
  CHECK(run.deadline() == now + 20s);
  run.stop({.grace = 5s}, now + 2s);
  CHECK(run.deadline() == now + 7s);
  run.on_deadline(now + 6s);
  CHECK(run.deadline() == now + 7s);
  run.on_deadline(now + 7s);
  CHECK_FALSE(run.deadline());  // killed: its end is all that is left to wait for

  base::StopState nobody;
  const base::Descriptor event = base::make_eventfd();
  base::StopWake nothing(nobody, event);
  process::run_to_end(run, nothing);
  CHECK(run.take_result().output.signal == SIGKILL);
}

TEST_CASE("a stop without grace kills at once") {
  const ProcessGuard guard;
  RunningShell running(": >$SIGNPOST; exec sleep 1000");
  running->stop({.grace = 0s});
  CHECK(running->end().output.signal == SIGKILL);
}

TEST_CASE("survivors of the leader have the rest of the grace, then are killed") {
  const ProcessGuard guard;
  RunningShell deaf("(trap '' TERM; : >$SIGNPOST; exec sleep 1000) & exec sleep 1000");
  const auto start = std::chrono::steady_clock::now();
  deaf->stop({.grace = kEnoughToDie});
  CHECK(deaf->end().output.signal == SIGTERM);
  CHECK(std::chrono::steady_clock::now() - start >= kEnoughToDie);

  // One that cleans up is given the time for it, and what it prints is kept.
  RunningShell careful(
      "(trap 'sleep 0.05; echo cleaned; exit' TERM; : >$SIGNPOST; while :; do sleep 0.01; done) & "
      "exec sleep 1000");
  careful->stop({.grace = 1000s});
  CHECK(careful->end().output.stdout_text == "cleaned\n");
}

TEST_CASE("a command that is stopped by SIGSTOP can still be ended") {
  const ProcessGuard guard;
  const Signpost signpost;
  Running running(Command::argv({child("stop_self"), signpost.fifo()}));
  signpost.wait();
  running.stop({.grace = 1000s});
  CHECK(running.end().output.signal == SIGTERM);
}

TEST_CASE("a command that takes SIGTERM as a reason to succeed has succeeded") {
  const ProcessGuard guard;
  RunningShell running("trap 'echo bye; exit 0' TERM; : >$SIGNPOST; while :; do sleep 0.01; done");
  running->stop({.grace = 1000s});
  const Ended ended = running->end();
  CHECK_FALSE(ended.cause);
  CHECK(ended.output.stdout_text == "bye\n");
}

TEST_CASE("a command that is stopped before it starts never does") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  const auto stop = std::make_shared<base::StopState>();
  stop->request({});
  const Ended ended = run(Command::argv({"touch", folder.file("ran")}), stop);
  CHECK(ended.cause == Cause::signal);
  CHECK_FALSE(std::filesystem::exists(folder.file("ran")));
}

TEST_CASE("a child that nobody drives to its end is killed and reaped") {
  const ProcessGuard guard;
  const TaskContext context(identity(), std::make_shared<base::StopState>());
  process::LaunchPad pad;
  const process::Launch launch(Command::shell("sleep 1000 & sleep 1000"), context, pad);
  const process::ChildRun abandoned(launch);
  CHECK(abandoned.pid() > 0);
}
