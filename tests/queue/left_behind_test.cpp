// SPDX-License-Identifier: MIT
// What commands leave behind, on every kind of queue.
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "process/process_list.hpp"
#include "queue/all_queues.hpp"
#include "queue/parts.hpp"
#include "support/process_guard.hpp"
#include "support/program.hpp"

using namespace std::chrono_literals;
using osiiso::Command;
using osiiso::Leak;
using osiiso::QueueOptions;
using osiiso::Status;
using osiiso::TaskOptions;
using osiiso::test::ProcessGuard;

namespace {

/// Tells the number of a process that has left its group and session, and waits until it has, and
/// until it is what it will be.
Command escape(Leak leak, const std::string& then = ":") {
  auto settings = std::make_shared<osiiso::CommandSettings>();
  settings->leak = leak;
  return Command::shell(
      "(setsid sh -c 'echo $$; exec sleep 1000 >&- 2>&-' & ) | { read pid; while [ -e /proc/$pid ] "
      "&& ! grep -q ^sleep /proc/$pid/cmdline; do :; done; echo $pid; }; " +
          then,
      settings);
}

bool is_running(std::int64_t pid) {
  const auto process = osiiso::process::find_process(static_cast<pid_t>(pid));
  return process && !process->is_zombie;
}

pid_t number_in(const osiiso::ResultPtr& result) {
  return std::stoi(result->output->stdout_text);
}

}  // namespace

TEST_CASE_TEMPLATE("the result tells what every attempt has left behind", Queue, OSIISO_QUEUES) {
  const ProcessGuard guard;
  Queue queue(QueueOptions{.workers = 2});
  const auto leaky = queue.submit(TaskOptions{.retries = 1}, escape(Leak::fail));
  queue.run();
  CHECK(leaky.status() == Status::failed);
  CHECK(leaky.result()->message == "left 1 process behind");
  REQUIRE(leaky.result()->output->leaked.size() == 2);
  for (const auto& leaked : leaky.result()->output->leaked) {
    CHECK(leaked.command.find("sleep 1000") != std::string::npos);
    CHECK_FALSE(is_running(leaked.pid));
  }
}

TEST_CASE_TEMPLATE("a retry that leaves nothing behind succeeds, and tells of the earlier one",
                   Queue, OSIISO_QUEUES) {
  const ProcessGuard guard;
  Queue queue(QueueOptions{.workers = 1});
  auto settings = std::make_shared<osiiso::CommandSettings>();
  settings->leak = Leak::fail;
  const auto task = queue.submit(
      TaskOptions{.retries = 1},
      Command::shell("if [ $OSIISO_ATTEMPT = 1 ]; then sleep 1000 & fi; echo done", settings));
  queue.run();
  CHECK(task.status() == Status::succeeded);
  CHECK(task.result()->output->stdout_text == "done\n");
  CHECK(task.result()->output->leaked.size() == 1);
}

TEST_CASE_TEMPLATE("a timeout stops what has escaped before the retry begins", Queue,
                   OSIISO_QUEUES) {
  const ProcessGuard guard;
  Queue queue(QueueOptions{.workers = 1, .grace = 10s});
  const auto task = queue.submit(TaskOptions{.timeout = 2s}, escape(Leak::kill, "sleep 1000"));
  queue.run();
  CHECK(task.status() == Status::failed);
  CHECK(task.result()->output->leaked.empty());
  CHECK_FALSE(is_running(number_in(task.result())));
}

TEST_CASE_TEMPLATE("what escaped is kept until the run of its own queue ends", Queue,
                   OSIISO_QUEUES) {
  const ProcessGuard guard;
  Queue owner(QueueOptions{.workers = 1});
  const auto server = owner.submit(escape(Leak::keep));
  owner.start();
  const auto kept = number_in(server.wait());
  {
    Queue other(QueueOptions{.workers = 1});
    other.submit(Command::shell("true"));
    CHECK(other.run().ok());
  }
  CHECK(is_running(kept));
  const auto summary = owner.run();
  CHECK(summary.ok());
  CHECK(server.result()->output->leaked.empty());
  CHECK_FALSE(is_running(kept));
}
