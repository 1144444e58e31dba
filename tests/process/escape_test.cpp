// SPDX-License-Identifier: MIT
// Processes that leave the group of their task: found, told of and stopped wherever they went.
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "base/poll.hpp"
#include "process/child_set.hpp"
#include "process/kept_groups.hpp"
#include "process/running.hpp"
#include "process/task_processes.hpp"
#include "support/process_guard.hpp"

using namespace osiiso;
using namespace osiiso::test;
using namespace std::chrono_literals;

namespace {

Command escape(const std::string& how, Leak leak = Leak::kill) {
  return Command::argv({child("escape"), how}, settings({.leak = leak}));
}

/// The process that `escape` has told of.
pid_t escaped(const Ended& ended) {
  return std::stoi(ended.output.stdout_text);
}

TaskContext::Identity task(const std::string& task_id, Duration grace = 0s) {
  auto who = identity();
  who.task_id = task_id;
  who.grace = grace;
  return who;
}

Ended run_as(const TaskContext::Identity& who, const Command& command) {
  return run(command, std::make_shared<base::StopState>(), who);
}

/// A command whose leader stays when the process that it leaves behind is there.
class Staying {
 public:
  explicit Staying(const std::string& how, TaskContext::Identity who = identity())
      : running_(Command::argv({child("escape"), how + "w", signpost_.fifo()}), std::move(who)),
        escaped_(std::stoi(signpost_.wait())) {}
  Running* operator->() { return &running_; }
  pid_t escaped() const { return escaped_; }

 private:
  Signpost signpost_;
  Running running_;
  pid_t escaped_;
};

/// A child that the host program has started without osiiso.
class HostChild {
 public:
  template <typename Body>
  explicit HostChild(Body body) : pid_(::fork()) {
    if (pid_ != 0) return;
    body();
    ::_exit(0);
  }
  pid_t pid() const { return pid_; }
  /// Whether it is there to be waited for.
  bool reap() const { return ::waitpid(pid_, nullptr, 0) == pid_; }

 private:
  pid_t pid_;
};

}  // namespace

TEST_CASE("what a command leaves behind is found, reported and stopped, wherever it went") {
  for (const char* how : {"", "s", "d", "sd", "dc", "sdc", "sdct"}) {
    CAPTURE(how);
    const ProcessGuard guard;
    // Ends by SIGTERM: nothing sleeps for 1000 seconds.
    const Ended ended = run_as(task("task", 1000s), escape(how));
    CHECK_FALSE(ended.cause);
    REQUIRE(ended.output.leaked.size() == 1);
    const LeakedProcess& leaked = ended.output.leaked.front();
    CHECK(leaked.pid == escaped(ended));
    CHECK(leaked.command.starts_with("escaped "));
    CHECK(leaked.age < 1000s);
    CHECK_FALSE(is_running(escaped(ended)));
  }
}

TEST_CASE("what was left behind and ignores SIGTERM is killed after the grace") {
  const ProcessGuard guard;
  const auto start = std::chrono::steady_clock::now();
  const Ended ended = run_as(task("task", 50ms), escape("sdci"));
  CHECK(std::chrono::steady_clock::now() - start >= 50ms);
  CHECK(ended.output.leaked.size() == 1);
  CHECK_FALSE(is_running(escaped(ended)));
}

TEST_CASE("what is left behind prints nothing into the output any more") {
  const ProcessGuard guard;
  const Ended ended = run_as(
      task("task", 1000s),
      Command::shell("(trap 'echo late; exit' TERM; echo ready >&3; while :; do sleep 0.01; done)"
                     " 3>&1 | { read line; echo early; kill -9 0; }"));
  CHECK(ended.output.stdout_text.find("late") == std::string::npos);
}

TEST_CASE("with leak fail a command fails for what escaped, too") {
  const ProcessGuard guard;
  const Ended ended = run(escape("sdc", Leak::fail));
  CHECK(ended.cause == Cause::leak);
  CHECK(ended.message == "left 1 process behind");
  CHECK_FALSE(is_running(escaped(ended)));
}

TEST_CASE("with leak keep what escaped lives until the run ends") {
  const ProcessGuard guard;
  const Ended ended = run(escape("sdc", Leak::keep));
  CHECK_FALSE(ended.cause);
  CHECK(ended.output.leaked.empty());
  // Another task's end does not touch it, nor that of another run.
  CHECK_FALSE(run_as(task("other"), Command::argv({"true"})).cause);
  CHECK(process::stop_kept("another run", 0s) == 0);
  CHECK(is_running(escaped(ended)));
  CHECK(process::stop_kept("run", 1000s) == 1);
  CHECK_FALSE(is_running(escaped(ended)));
}

TEST_CASE("what a kept process starts later is its task's, too") {
  const ProcessGuard guard;
  const Signpost go;
  const Signpost gone;
  Command command = Command::shell("(read go <$GO; exec " + child("escape") + " sdc $GONE) &",
                                   settings({.leak = Leak::keep}));
  command.with_variable("GO", go.fifo()).with_variable("GONE", gone.fifo());
  CHECK_FALSE(run(command).cause);
  std::ofstream(go.fifo()) << "go\n";
  const pid_t server = std::stoi(gone.wait());
  CHECK(run_as(task("other"), Command::argv({"true"})).output.leaked.empty());
  CHECK(is_running(server));
  CHECK(process::stop_kept("run", 0s) == 1);
  CHECK_FALSE(is_running(server));
}

TEST_CASE("tasks that run at the same time do not take each other's processes") {
  const ProcessGuard guard;
  Staying one("sdc", task("one"));
  for (const char* how : {"", "sd", "sdc"}) {
    CAPTURE(how);
    const Ended other = run_as(task("other"), escape(how));
    REQUIRE(other.output.leaked.size() == 1);
    CHECK(other.output.leaked.front().pid == escaped(other));
    CHECK(is_running(one.escaped()));
  }
  one->stop({});
  CHECK(one->end().output.leaked.empty());  // it was stopped, and that with it
  CHECK_FALSE(is_running(one.escaped()));
}

TEST_CASE("the host's own children are never touched") {
  const ProcessGuard guard;
  const HostChild plain([] { ::pause(); });
  const HostChild detached([] {
    ::setsid();
    ::pause();
  });
  const HostChild ended([] { ::setsid(); });
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(ended.pid()), &info, WEXITED | WNOWAIT);

  CHECK(run(escape("sdc")).output.leaked.size() == 1);
  CHECK(run(escape("")).output.leaked.size() == 1);
  CHECK(is_running(plain.pid()));
  CHECK(is_running(detached.pid()));
  CHECK(ended.reap());

  ::kill(plain.pid(), SIGKILL);
  ::kill(detached.pid(), SIGKILL);
  CHECK(plain.reap());
  CHECK(detached.reap());
}

TEST_CASE("a stop reaches what escaped") {
  for (const char* how : {"s", "sd", "sdc", "sdct", "sm"}) {
    CAPTURE(how);
    const ProcessGuard guard;
    Staying running(how);
    running->stop({.grace = 1000s});
    CHECK(running->end().output.signal == SIGTERM);
    CHECK_FALSE(is_running(running.escaped()));
  }
}

TEST_CASE("a stop kills what escaped and ignores SIGTERM after the grace") {
  for (const char* how : {"si", "sdi", "sdci", "smi"}) {
    CAPTURE(how);
    const ProcessGuard guard;
    Staying running(how);
    const auto start = std::chrono::steady_clock::now();
    running->stop({.grace = kEnoughToDie});
    CHECK(running->end().output.signal == SIGTERM);
    CHECK(std::chrono::steady_clock::now() - start >= kEnoughToDie);
    CHECK_FALSE(is_running(running.escaped()));
  }
}

TEST_CASE("a stop without grace kills what escaped at once") {
  for (const char* how : {"s", "sd", "sdc"}) {
    CAPTURE(how);
    const ProcessGuard guard;
    Staying running(how);
    running->stop({.grace = 0s});
    CHECK(running->end().output.signal == SIGKILL);
    CHECK_FALSE(is_running(running.escaped()));
  }
}

TEST_CASE("what another osiiso below a task has started is its own to stop while it lives") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  const Signpost signpost;
  // Takes the part of the inner osiiso: ends its task, deaf to the outer one's signal.
  Command command = Command::shell(
      "trap '' TERM; OSIISO_MARK=$OSIISO_MARK:inner.task setsid sh -c "
      "'trap \"echo heard >$HEARD; exit\" TERM; : >$SIGNPOST; while :; do sleep 0.01; done'");
  command.with_variable("SIGNPOST", signpost.fifo()).with_variable("HEARD", folder.file("heard"));
  Running running(command);
  signpost.wait();
  running.stop({.grace = 50ms});
  CHECK(running.end().output.signal == SIGKILL);
  CHECK_FALSE(std::filesystem::exists(folder.file("heard")));
}

TEST_CASE("what nobody can be found for is stopped at the end of the program") {
  const ProcessGuard guard;
  const Ended ended = run(escape("sdcm"));
  CHECK(ended.output.leaked.empty());
  CHECK(is_running(escaped(ended)));
  const auto strays = process::stop_strays(1000s);
  REQUIRE(strays.size() == 1);
  CHECK(strays.front().pid == escaped(ended));
  CHECK(strays.front().command.starts_with("escaped "));
  CHECK_FALSE(is_running(escaped(ended)));
  CHECK(process::stop_strays(0s).empty());
}

TEST_CASE("without a subreaper only the group counts") {
  const ProcessGuard guard;
  ::prctl(PR_SET_CHILD_SUBREAPER, 0L);
  const Ended group = run_as(task("task", 1000s), escape("i"));
  CHECK(group.output.leaked.empty());
  while (is_running(escaped(group)))
    std::this_thread::sleep_for(1ms);  // was killed, is not waited for
  const Ended away = run(escape("sdc"));
  CHECK(away.output.leaked.empty());
  CHECK(is_running(escaped(away)));
  CHECK(process::stop_strays(0s).empty());
  CHECK(is_running(escaped(away)));
  ::kill(escaped(away), SIGKILL);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1L);
}

TEST_CASE("a thousand processes that one command leaves behind") {
  const ProcessGuard guard;
  const Ended ended = run_as(task("task", 1000s), Command::argv({child("leave_behind"), "1000"}));
  CHECK_FALSE(ended.cause);
  CHECK(ended.output.leaked.size() == 1000);
}

TEST_CASE("a command that leaves nothing behind is no reason to look through all processes") {
  const ProcessGuard guard;
  Staying other("sdc", task("other"));
  run(Command::argv({"true"}));  // which sees the other's for the first time
  const auto looks = process::count_of_looks();
  for (int i = 0; i < 20; ++i) CHECK(run(Command::argv({"true"})).output.leaked.empty());
  CHECK(process::count_of_looks() == looks);
  other->stop({});
  other->end();
}

TEST_CASE("commands that are stopped at the same time share the looks at all processes") {
  constexpr std::size_t kCommands = 100;
  const ProcessGuard guard;
  process::ChildSet children;
  std::size_t ended = 0;
  std::vector<process::ChildSet::Id> ids;
  for (std::size_t i = 0; i < kCommands; ++i) {
    const TaskContext context(task("task" + std::to_string(i)),
                              std::make_shared<base::StopState>());
    process::LaunchPad pad;
    const process::Launch launch(Command::argv({"sleep", "1000"}), context, pad);
    ids.push_back(children.add(std::make_unique<process::ChildRun>(launch),
                               [&](const process::ChildResult&) { ++ended; }));
  }
  const auto looks = process::count_of_looks();
  for (const auto id : ids) children.stop(id, {.grace = 1000s}, base::now());
  drive_to_end(children);
  CHECK(ended == kCommands);
  CHECK(process::count_of_looks() - looks <= kCommands / 10);
}
