// SPDX-License-Identifier: MIT
//
// Each vector becomes tasks of a queue of each kind, whose functions imitate its `behaviour`;
// everything that it expects is compared with the handles, the summary and what the hooks saw.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "osiiso/checkpoint.hpp"

#include "queue/all_queues.hpp"
#include "support/program.hpp"

using nlohmann::json;
using osiiso::Duration;
using osiiso::QueueOptions;
using osiiso::RunSummary;
using osiiso::TaskOptions;

namespace {

using Clock = std::chrono::steady_clock;

// The vectors' times are rounded to 0.05 s, so this much less is the same. How much later a busy
// machine may be is not the model's business, only that it is not by a whole further wait.
constexpr double kEarlier = 0.03;
constexpr double kLater = 3.0;

Duration duration_of(const json& seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds.get<double>()));
}

std::optional<Duration> optional_duration(const json& seconds) {
  return seconds.is_null() ? std::nullopt : std::optional(duration_of(seconds));
}

double seconds(Duration span) {
  return std::chrono::duration<double>(span).count();
}

QueueOptions queue_options(const json& queue) {
  QueueOptions options;
  if (!queue["workers"].is_null()) options.workers = queue["workers"].get<int>();
  options.timeout = optional_duration(queue["timeout"]);
  if (queue["mode"] == "infinite") options.mode = osiiso::Mode::infinite;
  if (queue["fail_policy"] == "fail_first") options.fail_policy = osiiso::FailPolicy::fail_first;
  if (queue["on_timeout"] == "cancel") options.on_timeout = osiiso::OnTimeout::cancel;
  if (!queue["rate"].is_null()) options.rate = queue["rate"].get<double>();
  options.burst = queue["burst"].get<int>();
  return options;
}

TaskOptions task_options(const json& task) {
  TaskOptions options;
  options.name = task["name"];
  if (!task["group_id"].is_null()) options.group_id = task["group_id"];
  options.priority = task["priority"];
  options.retries = task["retries"];
  options.retry_delay = duration_of(task["retry_delay"]);
  options.backoff = task["backoff"];
  options.timeout = optional_duration(task["timeout"]);
  options.delay = optional_duration(task["delay"]);
  if (!task["run_at_offset"].is_null()) {
    options.run_at = std::chrono::system_clock::now() + duration_of(task["run_at_offset"]);
  }
  options.must_complete = task["must_complete"];
  options.detached = task["detached"];
  return options;
}

void sleep_unless_stopped(std::stop_token stop, Duration span) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, span, [] { return false; });
}

/// The task's function: no captures and plain arguments, so that worker processes can have it.
void imitate(const osiiso::TaskContext& context, const std::string& behaviour_text) {
  const json behaviour = json::parse(behaviour_text);
  const auto sleep = duration_of(behaviour["sleep"]);
  if (sleep > Duration{0}) sleep_unless_stopped(context.stop_token(), sleep);
  if (behaviour.contains("hard_exit")) std::_Exit(behaviour["hard_exit"].get<int>());
  if (behaviour.contains("signal")) std::raise(behaviour["signal"].get<int>());
  const int failures = behaviour["fail_times"];
  const bool fails = failures < 0 || context.attempt() <= failures;
  if (fails) throw std::runtime_error(behaviour["message"].get<std::string>());
}

/// What a run showed, besides its summary.
struct Observed {
  RunSummary summary;
  Duration took{0};
  std::map<std::string, osiiso::ResultPtr> results;  // detached ones too
  json starts = json::array();                       // [name, attempt, seconds after the start]
  json retry_hooks = json::array();
  json action_results = json::array();
};

/// With a checkpoint, tasks are known in it by their names.
template <typename Queue>
Observed observe(const json& vector, osiiso::Checkpoint* checkpoint = nullptr) {
  Observed seen;
  std::mutex mutex;
  const auto start = Clock::now();

  auto options = queue_options(vector["queue"]);
  options.hooks.on_start = [&](const osiiso::HookTask& task) {
    const std::lock_guard lock(mutex);
    seen.starts.push_back({task.name, task.attempt, seconds(Clock::now() - start)});
  };
  options.hooks.on_retry = [&](const osiiso::HookTask& task, const osiiso::AttemptResult& failed) {
    const std::lock_guard lock(mutex);
    seen.retry_hooks.push_back({task.name, task.attempt, failed.message});
  };

  Queue queue(options);
  using Handle = decltype(queue.submit(imitate, std::string()));
  std::map<std::string, Handle> handles;
  const auto submit = [&](const json& task) -> Handle {
    const auto behaviour = task["behaviour"].dump();
    if (checkpoint == nullptr) return queue.submit(task_options(task), imitate, behaviour);
    const auto by_name = [&](const std::string&) { return task["name"].get<std::string>(); };
    return queue
        .map(task_options(task), imitate, std::vector{behaviour}, checkpoint->in("batch", by_name))
        .front();
  };
  for (const auto& task : vector["tasks"]) handles.emplace(task["name"], submit(task));

  std::thread actor([&] {
    for (const auto& action : vector.value("actions", json::array())) {
      std::this_thread::sleep_until(start + duration_of(action["at"]));
      seen.action_results.push_back(handles.at(action["name"]).cancel());
    }
  });
  seen.summary = queue.run();
  seen.took = Clock::now() - start;
  actor.join();
  for (const auto& [name, handle] : handles) seen.results[name] = handle.result();
  return seen;
}

/// How many attempts were under way at the same time, at most.
int most_at_once(const Observed& seen) {
  std::vector<std::pair<Duration, int>> changes;  // an end goes before a start at the same time
  for (const auto& entry : seen.results) {
    for (const auto& attempt : entry.second->attempt_list()) {
      changes.emplace_back(attempt.started_at, +1);
      changes.emplace_back(attempt.finished_at, -1);
    }
  }
  std::ranges::sort(changes);
  int running = 0;
  int most = 0;
  for (const auto& change : changes) most = std::max(most, running += change.second);
  return most;
}

/// Whether anything in it takes time; without, the least duration is but the reference's own.
bool takes_time(const json& vector) {
  if (!vector["queue"]["timeout"].is_null() || !vector["queue"]["rate"].is_null()) return true;
  return std::ranges::any_of(vector["tasks"], [](const json& task) {
    return task["behaviour"]["sleep"] > 0 || task["retry_delay"] > 0 || !task["delay"].is_null() ||
           !task["run_at_offset"].is_null();
  });
}

void check_counts(const RunSummary& summary, const json& expect) {
  CHECK(summary.total_submitted == expect["total_submitted"].get<std::size_t>());
  CHECK(summary.succeeded == expect["succeeded"].get<std::size_t>());
  CHECK(summary.failed == expect["failed"].get<std::size_t>());
  CHECK(summary.cancelled == expect["cancelled"].get<std::size_t>());
  CHECK(summary.timed_out == expect["timed_out"].get<bool>());
  CHECK(summary.ok() == expect["ok"].get<bool>());
}

void check_duration(const Observed& seen, const json& vector) {
  const json& bounds = vector["expect"]["duration_bounds"];
  // Delays and actions count from before the submission, as `took` does; the run begins after it.
  if (takes_time(vector)) CHECK(seconds(seen.took) >= bounds[0].get<double>());
  CHECK(seen.summary.duration <= seen.took);
  CHECK(seconds(seen.summary.duration) <= bounds[1].get<double>() + kLater);
}

json names_of(const osiiso::ResultList& results) {
  json names = json::array();
  for (const auto& result : results) names.push_back(result->name);
  return names;
}

void check_results(const Observed& seen, const json& expect) {
  CHECK(names_of(seen.summary.results) == expect["results"]);
  if (expect.contains("by_group")) {
    json by_group = json::object();
    for (const auto& [group, results] : seen.summary.by_group()) {
      by_group[group.value_or("None")] = names_of(results);
    }
    CHECK(by_group == expect["by_group"]);
  }
  for (const auto& entry : seen.results) {
    const auto& name = entry.first;
    const auto& result = entry.second;
    CAPTURE(name);
    if (expect["status_by_name"].contains(name)) {
      CHECK(osiiso::to_string(result->status) == expect["status_by_name"][name]);
    }
    if (expect["attempts_by_name"].contains(name)) {
      CHECK(result->attempts == expect["attempts_by_name"][name].get<int>());
    }
    if (expect["message_by_name"].contains(name)) {
      CHECK(result->message == expect["message_by_name"][name]);
    }
  }
}

void check_starts(const json& starts, const json& expect) {
  if (expect.contains("start_order")) {
    json names = json::array();
    for (const auto& start : starts) names.push_back(start[0]);
    CHECK(names == expect["start_order"]);
  }
  const json expected = expect.value("start_times", json::array());
  if (!expected.empty()) {
    REQUIRE(starts.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CAPTURE(i);
      CHECK(starts[i][0] == expected[i][0]);
      CHECK(starts[i][1] == expected[i][1]);
      CHECK(starts[i][2].get<double>() >= expected[i][2].get<double>() - kEarlier);
      CHECK(starts[i][2].get<double>() <= expected[i][2].get<double>() + kLater);
    }
  }
  const json sorted = expect.value("start_times_sorted", json::array());
  REQUIRE(starts.size() >= sorted.size());
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    CHECK(starts[i][2].get<double>() >= sorted[i].get<double>() - kEarlier);
  }
}

json error_text(const RunSummary& summary, bool include_cancelled) {
  try {
    summary.raise_for_errors(include_cancelled);
    return nullptr;
  } catch (const osiiso::ExecutionError& error) {
    return error.what();
  }
}

json sorted(json list) {
  std::sort(list.begin(), list.end());
  return list;
}

void check(const Observed& seen, const json& vector) {
  const json& expect = vector["expect"];
  check_counts(seen.summary, expect);
  check_duration(seen, vector);
  check_results(seen, expect);
  check_starts(seen.starts, expect);
  CHECK(sorted(seen.retry_hooks) == sorted(expect["retry_hooks"]));
  CHECK(seen.action_results == expect.value("action_results", json::array()));
  CHECK(error_text(seen.summary, false) == expect["strict_error"]);
  CHECK(error_text(seen.summary, true) == expect["strict_error_include_cancelled"]);
  // Where the rate keeps tasks apart, only the speed of the machine makes them meet.
  const bool rated = !vector["queue"]["rate"].is_null();
  CHECK(most_at_once(seen) <=
        (rated ? vector["queue"]["workers"] : expect["max_concurrent"]).get<int>());
  if (expect.contains("display") && expect["display"].is_string()) {
    std::ostringstream shown;
    seen.summary.display(shown);
    const std::regex duration(R"((Duration    : )[0-9]+\.[0-9]{3}s)");
    CHECK(std::regex_replace(shown.str(), duration, "$1X") == expect["display"].get<std::string>());
  }
}

/// Whether a worker has to die for it, which a thread cannot: these belong to the process queue.
bool needs_a_worker_process(const json& vector) {
  return std::ranges::any_of(vector["tasks"], [](const json& task) {
    return task["behaviour"].contains("hard_exit") || task["behaviour"].contains("signal");
  });
}

}  // namespace

TEST_CASE_TEMPLATE("a queue gives what each vector expects", Queue, OSIISO_QUEUES) {
  constexpr bool kHasWorkerProcesses = std::is_same_v<Queue, osiiso::ProcessQueue>;
  struct Case {
    std::string name;
    json vector;
    std::future<Observed> seen = {};
  };
  std::vector<Case> cases;
  for (const auto& entry : std::filesystem::directory_iterator(OSIISO_VECTORS)) {
    if (entry.path().extension() != ".json") continue;
    json vector = json::parse(osiiso::test::read_file(entry.path().string()));
    if (vector.contains("checkpoint")) continue;
    if (!kHasWorkerProcesses && needs_a_worker_process(vector)) continue;
    cases.push_back({entry.path().filename().string(), std::move(vector)});
  }
  // They mostly sleep, so they do it together.
  for (auto& one : cases) {
    one.seen = std::async(std::launch::async, observe<Queue>, std::cref(one.vector), nullptr);
  }
  for (auto& one : cases) {
    INFO("vector: ", one.name);
    check(one.seen.get(), one.vector);
  }
  CHECK(cases.size() == (kHasWorkerProcesses ? 49 : 46));
}

namespace {

int count_recorded(const osiiso::Checkpoint& checkpoint, const json& vector) {
  const auto& tasks = vector["tasks"];
  return static_cast<int>(std::count_if(tasks.begin(), tasks.end(), [&](const json& task) {
    return checkpoint.standing("batch", task["name"], task["name"]) ==
           osiiso::Checkpoint::Standing::done;
  }));
}

}  // namespace

TEST_CASE_TEMPLATE("a queue with a checkpoint gives what the vectors about it expect", Queue,
                   OSIISO_QUEUES) {
  int vectors = 0;
  for (const auto& entry : std::filesystem::directory_iterator(OSIISO_VECTORS)) {
    if (entry.path().extension() != ".json") continue;
    json vector = json::parse(osiiso::test::read_file(entry.path().string()));
    if (!vector.contains("checkpoint")) continue;
    ++vectors;
    INFO("vector: ", vector["name"].get<std::string>());
    const osiiso::test::TemporaryFolder folder;
    osiiso::Checkpoint checkpoint(folder.path() + "/checkpoint");
    check(observe<Queue>(vector, &checkpoint), vector);
    CHECK(count_recorded(checkpoint, vector) == vector["checkpoint"]["recorded_after_run1"]);
    vector["expect"] = vector["expect_run2"];
    check(observe<Queue>(vector, &checkpoint), vector);
    CHECK(count_recorded(checkpoint, vector) == vector["checkpoint"]["recorded_after_run2"]);
  }
  CHECK(vectors == 1);
}
