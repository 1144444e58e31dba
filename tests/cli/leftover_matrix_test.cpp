// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "cli/osiiso.hpp"

using namespace osiiso::test;

// However a run ends, whatever its tasks started and on whichever queue: nothing of it is alive.

namespace {

struct Kind {
  std::string name;
  std::string starts;
};

const std::vector<Kind> kKinds = {
    {"plain", "sleep 1000 &"},
    {"pipeline", "sleep 1000 | sleep 1000 &"},
    {"session", "setsid sleep 1000 &"},
    {"orphan", "(setsid sleep 1000 <&- >&- 2>&- &) ;"},
    {"deaf", "trap '' TERM INT HUP; sleep 1000 &"},
};

enum class Ending {
  tasks_end,
  timeout,
  fail_first,
  run_timeout,
  sigint,
  sigterm,
  program_killed,
  guardian_killed,
  group_killed,
  second_sigint
};

std::string queue_settings(Ending ending) {
  switch (ending) {
    case Ending::fail_first:
      return ", fail_policy: fail_first, grace: 200ms";
    case Ending::run_timeout:
      return ", timeout: 1s, grace: 200ms";
    case Ending::second_sigint:
      return ", grace: 1h";
    default:
      return ", grace: 200ms";
  }
}

/// One task of each kind. Each writes its name into `folder` when it has started its processes.
std::string job(Ending ending, const std::string& folder) {
  std::string text = "queue: {workers: 8" + queue_settings(ending) + "}\ntasks:\n";
  const std::string last = ending == Ending::tasks_end ? ":" : "sleep 1000; :";
  std::string all_ready;
  for (const auto& [name, starts] : kKinds) {
    const auto mark = folder + "/" + name;
    all_ready += " -e " + mark + " -a";
    text += "  - {name: " + name + ", command: \"" + starts + " echo yes > " + mark + "; " + last +
            "\"" + (ending == Ending::timeout ? ", timeout: 700ms" : "") + "}\n";
  }
  if (ending == Ending::fail_first) {
    text += "  - \"until [" + all_ready + " -d / ]; do sleep 0.02; done; exit 1\"\n";
  }
  return text;
}

/// One run of it, which says of its processes that they are its own.
class MarkedRun {
 public:
  MarkedRun(Ending ending, std::string queue) : queue_(std::move(queue)) {
    auto invocation = osiiso_with({"run", "-", "--queue", queue_}, job(ending, folder_.path()));
    invocation.own_group = true;
    invocation.env["LEFTOVER_MATRIX"] = folder_.path();
    program_ = std::make_unique<RunningProgram>(invocation);
  }

  const std::string& queue() const { return queue_; }
  RunningProgram& program() { return *program_; }
  int alive() const { return count_with_environment("LEFTOVER_MATRIX=" + folder_.path()); }
  bool is_ready() const {
    for (const auto& kind : kKinds) {
      if (read_file(folder_.path() + "/" + kind.name).empty()) return false;
    }
    return true;
  }
  pid_t program_below_guardian() const {
    const auto pid = std::to_string(program_->pid());
    return static_cast<pid_t>(std::stol(read_file("/proc/" + pid + "/task/" + pid + "/children")));
  }

 private:
  const std::string queue_;
  TemporaryFolder folder_;
  std::unique_ptr<RunningProgram> program_;
};

void bring_about(Ending ending, MarkedRun& run) {
  switch (ending) {
    case Ending::sigint:
      return run.program().send(SIGINT);
    case Ending::sigterm:
      return run.program().send(SIGTERM);
    case Ending::guardian_killed:
      return run.program().send(SIGKILL);
    case Ending::program_killed:
      ::kill(run.program_below_guardian(), SIGKILL);
      return;
    case Ending::group_killed:
      ::kill(-run.program().pid(), SIGKILL);
      return;
    case Ending::second_sigint:
      // Again and again, for what comes within a moment counts as one.
      CHECK(eventually([&] {
        run.program().send(SIGINT);
        ::usleep(150'000);
        return run.program().has_ended();
      }));
      return;
    default:;  // comes by itself
  }
}

bool needs_all_ready(Ending ending) {
  return ending >= Ending::sigint;
}

void check(Ending ending) {
  std::vector<std::unique_ptr<MarkedRun>> runs;
  for (const char* queue : {"thread", "process", "async"}) {
    runs.push_back(std::make_unique<MarkedRun>(ending, queue));
  }
  for (const auto& run : runs) {
    CAPTURE(run->queue());
    if (needs_all_ready(ending)) REQUIRE(eventually([&] { return run->is_ready(); }));
    bring_about(ending, *run);
    const auto ended = run->program().wait();
    CAPTURE(ended.err);
    // Only where the guardian was killed is there something left to end when it is gone.
    if (ending == Ending::guardian_killed || ending == Ending::group_killed) {
      CHECK(eventually([&] { return run->alive() == 0; }));
    } else {
      CHECK(run->alive() == 0);
    }
  }
}

}  // namespace

TEST_CASE("nothing is left when the tasks end") {
  check(Ending::tasks_end);
}
TEST_CASE("nothing is left when the tasks pass their timeout") {
  check(Ending::timeout);
}
TEST_CASE("nothing is left when a failure ends the run") {
  check(Ending::fail_first);
}
TEST_CASE("nothing is left when the run passes its timeout") {
  check(Ending::run_timeout);
}
TEST_CASE("nothing is left after SIGINT") {
  check(Ending::sigint);
}
TEST_CASE("nothing is left after SIGTERM") {
  check(Ending::sigterm);
}
TEST_CASE("nothing is left after SIGKILL of the program") {
  check(Ending::program_killed);
}
TEST_CASE("nothing is left after SIGKILL of the guardian") {
  check(Ending::guardian_killed);
}
TEST_CASE("nothing is left after SIGKILL of the process group") {
  check(Ending::group_killed);
}
TEST_CASE("nothing is left after a second SIGINT") {
  check(Ending::second_sigint);
}
