// SPDX-License-Identifier: MIT
// Batches that are handed in without handles. Their tasks have no record before something happens
// to them, which nobody is to notice.
#include <any>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "osiiso/thread_queue.hpp"

#include "queue/parts.hpp"

namespace osiiso {
namespace {

using test::Log;
using test::named;

/// Knows of a success, or of none.
class Memory final : public Recorder {
 public:
  explicit Memory(std::optional<std::any> success) : success_(std::move(success)) {}
  std::optional<std::any> restore() override { return success_; }
  void record_success(const std::any&) override {}
  void record_end(Status) override {}

 private:
  std::optional<std::any> success_;
};

std::vector<std::string> told(const ResultList& results) {
  std::vector<std::string> lines;
  for (const auto& result : results) {
    lines.push_back(std::to_string(result->number) + ' ' + result->name + ' ' +
                    to_string(result->status) + (result->message.empty() ? "" : ": ") +
                    result->message);
  }
  return lines;
}

}  // namespace

TEST_CASE("a posted batch runs as a submitted one does") {
  const auto run = [](bool is_posted) {
    Log log;
    ThreadQueue queue({.workers = 1});
    Batch batch;
    const auto group = batch.add_group({.group_id = "site"});
    const auto last = batch.add(named("last"), [&] { log.add("last"); });
    const auto bad = batch.add(
        named("bad"), [] { throw std::runtime_error("no"); }, group);
    const auto never = batch.add(named("never"), [&] { log.add("never"); });
    batch.add_finally(
        "swept", {}, [&] { log.add("swept"); }, group);
    auto urgent = named("urgent");
    urgent.priority = 1;
    const auto first = batch.add(urgent, [&] { log.add("urgent"); });
    batch.need(last, first);
    batch.need(never, bad);
    if (is_posted) {
      queue.post(std::move(batch));
    } else {
      CHECK(queue.submit(std::move(batch)).size() == 5);
    }
    auto lines = told(queue.run().results);
    for (const auto& line : log.lines()) lines.push_back(line);
    return lines;
  };
  const auto posted = run(true);
  CHECK(posted == std::vector<std::string>{"1 last succeeded", "2 bad failed: no",
                                           "3 never cancelled: needs 'bad', which failed",
                                           "4 swept succeeded", "5 urgent succeeded", "urgent",
                                           "last", "swept"});
  CHECK(posted == run(false));
}

TEST_CASE("posted tasks that are never started have results, groups and ids, too") {
  ThreadQueue queue({.workers = 1, .fail_policy = FailPolicy::fail_first});
  Batch batch;
  auto grouped = named("later");
  grouped.group_id = "site";
  batch.add(named("bad"), [] { throw std::runtime_error("no"); });
  for (int i = 0; i < 3; ++i) batch.add(grouped, [] {});
  queue.post(std::move(batch));
  const auto summary = queue.run();
  CHECK(told(summary.results) ==
        std::vector<std::string>{"1 bad failed: no",
                                 "2 later cancelled: cancelled before execution",
                                 "3 later cancelled: cancelled before execution",
                                 "4 later cancelled: cancelled before execution"});
  CHECK(summary.by_task_id().size() == 4);
  CHECK(summary.results[3]->group_id == "site");
}

TEST_CASE("what an earlier run has finished of a posted batch is not run again") {
  Log completed;
  QueueOptions options{.workers = 1};
  options.hooks.on_complete = [&](const ResultPtr& result) { completed.add(result->name); };
  ThreadQueue queue(options);
  Batch batch;
  batch.add(named("a"), [] {});
  batch.record(batch.add(named("b"), [] { throw std::runtime_error("ran again"); }),
               std::make_shared<Memory>(7));
  queue.post(std::move(batch));
  CHECK(completed.lines() == std::vector<std::string>{"b"});
  const auto summary = queue.run();
  CHECK(summary.total_submitted == 1);
  REQUIRE(summary.restored.size() == 1);
  CHECK(std::any_cast<int>(summary.restored[0]->value) == 7);
  CHECK(summary.restored[0]->number == 2);
}

TEST_CASE("what a posted task holds is let go of when it is final, the rest with the queue") {
  const auto held = std::make_shared<int>();
  const auto recorder = std::make_shared<Memory>(std::nullopt);
  std::vector<long> holders;
  {
    ThreadQueue queue({.workers = 1, .keep_results = false});
    const auto post = [&] {
      Batch batch;
      for (int i = 0; i < 10; ++i) {
        batch.record(batch.add({}, [held, &holders] { holders.push_back(held.use_count()); }),
                     recorder);
      }
      queue.post(std::move(batch));
    };
    post();
    queue.run();
    REQUIRE(holders.size() == 10);
    CHECK(holders.back() < 5);
    // A worker holds what it ran last until it finds that there is nothing more.
    CHECK(held.use_count() <= 2);
    CHECK(recorder.use_count() <= 2);
    post();
    CHECK(held.use_count() >= 11);
    queue.shutdown(true);
  }
  CHECK(held.use_count() == 1);
}

TEST_CASE("a batch that is refused as a whole leaves nothing behind") {
  ThreadQueue queue({.workers = 1});
  Batch batch;
  const auto a = batch.add(named("a"), [] {});
  const auto b = batch.add(named("b"), [] {});
  batch.need(a, b);
  batch.need(b, a);
  CHECK_THROWS_AS(queue.post(std::move(batch)), OptionError);
  CHECK(queue.stats().outstanding == 0);
  CHECK(queue.run().total_submitted == 0);
}

}  // namespace osiiso
