// SPDX-License-Identifier: MIT
// HOK-1 for every kind of queue; what commands print stands in output_hook_test.cpp.
#include <algorithm>
#include <csignal>
#include <mutex>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "osiiso/command.hpp"

#include "base/format.hpp"
#include "queue/all_queues.hpp"
#include "support/process_guard.hpp"

using osiiso::Command;
using osiiso::StopCause;

namespace {

/// What the hooks told, in order.
struct Heard {
  std::mutex mutex;
  std::vector<std::string> lines;
  std::vector<int> pids;
  std::vector<osiiso::RunStop> stops;

  void add(std::string line) {
    const std::lock_guard lock(mutex);
    lines.push_back(std::move(line));
  }

  /// Those about the task of this name.
  std::vector<std::string> about(const std::string& name) const {
    std::vector<std::string> found;
    for (const auto& line : lines) {
      if (line.starts_with(name + ' ')) found.push_back(line.substr(name.size() + 1));
    }
    return found;
  }

  osiiso::Hooks hooks() {
    osiiso::Hooks hooks;
    hooks.on_submit = [this](const osiiso::SubmittedTask& task) {
      add(osiiso::base::format("{} submitted '{}' {} {}", task.name, task.command, task.group_id,
                               task.priority));
    };
    hooks.on_spawn = [this](const osiiso::TaskContext& attempt, int pid) {
      add(osiiso::base::format("{} spawned {}", attempt.name(), attempt.attempt()));
      const std::lock_guard lock(mutex);
      pids.push_back(pid);
    };
    hooks.on_retry = [this](const osiiso::FailedAttempt& task, const osiiso::AttemptResult&) {
      add(osiiso::base::format("{} failed {} {}ms '{}'", task.name, task.attempt,
                               task.delay / std::chrono::milliseconds(1),
                               task.output ? task.output->stdout_text : "none"));
    };
    hooks.on_complete = [this](const osiiso::ResultPtr& result) {
      add(osiiso::base::format("{} {}", result->name, to_string(result->status)));
    };
    hooks.on_stop = [this](const osiiso::RunStop& stop) {
      const std::lock_guard lock(mutex);
      stops.push_back(stop);
    };
    return hooks;
  }
};

}  // namespace

TEST_CASE_TEMPLATE("hooks tell of a command from its submission to its end", Queue, OSIISO_QUEUES) {
  const osiiso::test::ProcessGuard guard;
  Heard heard;
  Queue queue({.workers = 2, .hooks = heard.hooks()});
  const auto flaky = queue.submit({.name = "flaky",
                                   .group_id = "some",
                                   .priority = 1,
                                   .retries = 1,
                                   .retry_delay = std::chrono::milliseconds(20)},
                                  Command::shell("echo $$; test $OSIISO_ATTEMPT = 2"));
  queue.submit({.name = "nothing"}, Command::argv({"/no/such/program"}));
  CHECK(queue.run().failed == 1);
  REQUIRE(heard.pids.size() == 2);
  CHECK(heard.about("flaky") ==
        std::vector<std::string>{
            "submitted 'echo $$; test $OSIISO_ATTEMPT = 2' some 1", "spawned 1",
            osiiso::base::format("failed 1 20ms '{}\n'", heard.pids[0]), "spawned 2", "succeeded"});
  CHECK(flaky.result()->output->stdout_text == std::to_string(heard.pids[1]) + '\n');
  CHECK(heard.about("nothing") ==
        std::vector<std::string>{"submitted '/no/such/program'  3", "failed"});
  CHECK(heard.stops.empty());
}

TEST_CASE_TEMPLATE("on_stop tells why a run is ended early, and before what that leads to", Queue,
                   OSIISO_QUEUES) {
  const osiiso::test::ProcessGuard guard;
  Heard heard;
  SUBCASE("fail_first") {
    Queue queue(
        {.workers = 1, .fail_policy = osiiso::FailPolicy::fail_first, .hooks = heard.hooks()});
    queue.submit({.name = "a"}, Command::argv({"false"}));
    queue.submit({.name = "b"}, Command::argv({"true"}));
    queue.run();
    REQUIRE(heard.stops.size() == 1);
    CHECK(heard.stops[0].cause == StopCause::fail_first);
  }
  SUBCASE("timeout") {
    Queue queue({.workers = 1, .timeout = std::chrono::milliseconds(10), .hooks = heard.hooks()});
    queue.submit({.name = "a"}, Command::argv({"sleep", "76531"}));
    queue.run();
    REQUIRE(heard.stops.size() == 1);
    CHECK(heard.stops[0].cause == StopCause::timeout);
  }
  SUBCASE("nothing, where a queue ends that has nothing left to do") {
    {
      Queue queue({.workers = 1, .hooks = heard.hooks()});
      queue.submit({.name = "a"}, Command::argv({"true"}));
      queue.run();
    }
    CHECK(heard.stops.empty());
  }
  SUBCASE("a halt, and a stronger one after it, but no weaker one") {
    Queue queue({.workers = 1, .hooks = heard.hooks()});
    queue.submit({.name = "a", .must_complete = true}, Command::argv({"true"}));
    queue.halt(SIGINT);
    queue.halt(SIGTERM);
    queue.kill();
    queue.halt(SIGHUP);
    queue.run();
    REQUIRE(heard.stops.size() == 2);
    CHECK(heard.stops[0].cause == StopCause::halt);
    CHECK(heard.stops[0].signal == SIGINT);
    CHECK(heard.stops[1].cause == StopCause::kill);
  }
}
