// SPDX-License-Identifier: MIT
// What makes a worker ready, on every kind of queue.
#include <chrono>
#include <thread>

#include <doctest/doctest.h>

#include "queue/all_queues.hpp"
#include "support/process_guard.hpp"

using namespace std::chrono_literals;
using osiiso::Command;
using osiiso::QueueOptions;
using osiiso::TaskOptions;
using osiiso::test::ProcessGuard;

namespace {

constexpr osiiso::Duration kTimeout = 1s;

void initialize_slowly() {
  std::this_thread::sleep_for(kTimeout + 500ms);
}

}  // namespace

TEST_CASE_TEMPLATE("TMO-1: the time that an initializer takes is not the attempt's", Queue,
                   OSIISO_QUEUES) {
  const ProcessGuard guard;
  Queue queue(QueueOptions{.workers = 2, .initializer = initialize_slowly});
  const auto function = queue.submit(TaskOptions{.timeout = kTimeout}, [] {});
  const auto command = queue.submit(TaskOptions{.timeout = kTimeout}, Command::argv({"true"}));
  queue.run();
  CHECK(function.result()->message == "");
  CHECK(command.result()->message == "");
}
