// SPDX-License-Identifier: MIT
#include <any>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "osiiso/thread_queue.hpp"

#include "queue/parts.hpp"

using namespace osiiso;
using osiiso::test::Log;
using osiiso::test::named;

namespace {

/// What is kept of all tasks, in memory.
struct Kept {
  std::map<std::string, std::any> values;
  Log log;
  bool fails = false;
};

class MemoryRecorder final : public Recorder {
 public:
  MemoryRecorder(Kept& kept, std::string key) : kept_(kept), key_(std::move(key)) {}

  std::optional<std::any> restore() override {
    const auto found = kept_.values.find(key_);
    return found == kept_.values.end() ? std::nullopt : std::optional(found->second);
  }
  void record_success(const std::any& value) override {
    if (kept_.fails) throw Error("no room");
    kept_.log.add("record " + key_);
    kept_.values[key_] = value;
  }
  void record_end(Status status) override {
    kept_.log.add(std::string(to_string(status)) + " " + key_);
    kept_.values.erase(key_);
  }

 private:
  Kept& kept_;
  std::string key_;
};

Batch::Task add(Batch& batch, Kept& kept, const std::string& name, TaskBody body) {
  const auto task = batch.add(named(name), std::move(body));
  batch.record(task, std::make_shared<MemoryRecorder>(kept, name));
  return task;
}

}  // namespace

TEST_CASE("CHK-1: a success is recorded before hooks, handles and dependants hear of it") {
  Kept kept;
  QueueOptions options{.workers = 1};
  options.hooks.on_start = [&](const HookTask& task) { kept.log.add("start " + task.name); };
  options.hooks.on_complete = [&](const ResultPtr& result) {
    kept.log.add("complete " + result->name);
  };
  ThreadQueue queue(options);
  Batch batch;
  const auto a = add(batch, kept, "a", [] { return 1; });
  const auto b = add(batch, kept, "b", [] {});
  batch.need(b, a);
  const auto handles = queue.submit(std::move(batch));
  handles[0].on_done([&](const AnyTaskHandle&) { kept.log.add("done a"); });
  queue.run();
  CHECK(kept.log.lines() == std::vector<std::string>{"start a", "record a", "done a", "complete a",
                                                     "start b", "record b", "complete b"});
}

TEST_CASE("CHK-3: a restored task has its value and no attempt, and is in no count") {
  Kept kept;
  kept.values["a"] = 7;
  std::vector<std::string> completed;
  QueueOptions options{.workers = 1};
  options.hooks.on_complete = [&](const ResultPtr& result) { completed.push_back(result->name); };
  ThreadQueue queue(options);
  Batch batch;
  const auto a = add(batch, kept, "a", []() -> int { throw std::runtime_error("ran again"); });
  const auto b = add(batch, kept, "b", [] {});
  batch.need(b, a);
  const auto handles = queue.submit(std::move(batch));
  CHECK(handles[0].done());
  const auto summary = queue.run();
  const auto result = handles[0].result();
  CHECK(result->status == Status::succeeded);
  CHECK(std::any_cast<int>(result->value) == 7);
  CHECK(result->attempts == 0);
  CHECK(result->message == "restored from checkpoint");
  CHECK_FALSE(result->started_at);
  CHECK(summary.total_submitted == 1);
  CHECK(summary.results.size() == 1);
  REQUIRE(summary.restored.size() == 1);
  CHECK(summary.restored[0] == result);
  CHECK(completed == std::vector<std::string>{"a", "b"});
  CHECK(queue.run().restored.empty());
}

TEST_CASE("CHK-3: a run of nothing but restored tasks passes, its finally tasks run") {
  Kept kept;
  kept.values["a"] = 7;
  ThreadQueue queue({.workers = 1});
  Batch batch;
  add(batch, kept, "a", [] {});
  int cleaned = 0;
  const auto last = batch.add_finally("last", {}, [&] { ++cleaned; });
  CHECK_THROWS_WITH_AS(batch.record(last, nullptr),
                       "a finally task always runs, it cannot be restored", OptionError);
  queue.submit(std::move(batch));
  CHECK(queue.run().ok());
  CHECK(cleaned == 1);
}

TEST_CASE("CHK-1: failed and cancelled tasks are not recorded as successes") {
  Kept kept;
  ThreadQueue queue({.workers = 1});
  Batch batch;
  const auto a = add(batch, kept, "a", [] { throw std::runtime_error("no"); });
  const auto b = add(batch, kept, "b", [] {});
  batch.need(b, a);
  queue.submit(std::move(batch));
  queue.run();
  CHECK(kept.values.empty());
  CHECK(kept.log.lines() == std::vector<std::string>{"failed a", "cancelled b"});
}

TEST_CASE("CHK-1: a success that comes after the cancel is none") {
  Kept kept;
  ThreadQueue queue({.workers = 1});
  Batch batch;
  osiiso::test::Gate started;
  add(batch, kept, "a", [&](std::stop_token stop) {
    started.open();
    osiiso::test::wait_for_stop(std::move(stop));
    return 1;
  });
  const auto handles = queue.submit(std::move(batch));
  queue.start();
  started.wait();
  handles[0].cancel();
  queue.run();
  CHECK(kept.log.lines() == std::vector<std::string>{"cancelled a"});
}

TEST_CASE("CHK-1: what cannot be recorded goes to the error hook, and the run goes on") {
  Kept kept;
  kept.fails = true;
  std::vector<std::string> errors;
  QueueOptions options{.workers = 1};
  options.hooks.on_error = [&](const std::exception_ptr& thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const Error& error) {
      errors.emplace_back(error.what());
    }
  };
  ThreadQueue queue(options);
  Batch batch;
  add(batch, kept, "a", [] {});
  queue.submit(std::move(batch));
  CHECK(queue.run().ok());
  CHECK(errors == std::vector<std::string>{"no room"});
}
