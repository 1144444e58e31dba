// SPDX-License-Identifier: MIT
// What a halt cancels of a large batch is told of in pieces, on every kind of queue.
#include <chrono>
#include <cstddef>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "queue/all_queues.hpp"
#include "queue/parts.hpp"
#include "support/process_guard.hpp"

using osiiso::Batch;
using osiiso::Command;
using osiiso::QueueOptions;
using osiiso::Status;
using osiiso::test::named;
using osiiso::test::ProcessGuard;

namespace {

// Many more than are told of at once.
constexpr std::size_t kMany = 3'000;

Batch many_behind(const std::string& script) {
  Batch batch;
  batch.add(named("first"), Command::shell(script));
  for (std::size_t i = 0; i < kMany; ++i) batch.add({}, Command::argv({"true"}));
  return batch;
}

/// Notes whom it is told of, and in which state.
struct Told {
  explicit Told(QueueOptions& options) {
    options.keep_results = false;
    options.hooks.on_complete = [this](const osiiso::ResultPtr& result) {
      numbers.insert(result->number);
      if (result->status == Status::cancelled) ends.insert(result->finished_at);
    };
  }
  std::set<std::uint64_t> numbers = {};
  std::set<osiiso::Duration> ends = {};  // of the cancelled
};

}  // namespace

TEST_CASE_TEMPLATE("a failure that ends the run", Queue, OSIISO_QUEUES) {
  const ProcessGuard guard;
  QueueOptions options{.workers = 1, .fail_policy = osiiso::FailPolicy::fail_first};
  Told told(options);
  Queue queue(options);
  queue.post(many_behind("exit 3"));
  const auto summary = queue.run();
  CHECK(summary.failed == 1);
  CHECK(summary.cancelled == kMany);
  CHECK(told.numbers.size() == kMany + 1);
  CHECK(told.ends.size() == 1);
}

TEST_CASE_TEMPLATE("a halt while a command runs, which hears of it", Queue, OSIISO_QUEUES) {
  const ProcessGuard guard;
  QueueOptions options{.workers = 1};
  Told told(options);
  Queue* halted = nullptr;
  options.hooks.on_start = [&](const osiiso::HookTask&) { halted->halt(); };
  Queue queue(options);
  halted = &queue;
  queue.post(many_behind("exec sleep 1000"));
  const auto summary = queue.run();
  CHECK(summary.cancelled == kMany + 1);
  CHECK(told.numbers.size() == kMany + 1);
}

TEST_CASE_TEMPLATE("a queue that was never started", Queue, OSIISO_QUEUES) {
  QueueOptions options{.workers = 1};
  Told told(options);
  Queue queue(options);
  queue.post(many_behind("true"));
  queue.kill();
  CHECK(queue.run().cancelled == kMany + 1);
  CHECK(told.numbers.size() == kMany + 1);
}
