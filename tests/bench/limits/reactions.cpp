// SPDX-License-Identifier: MIT
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include <fmt/format.h>

#include "bench/limits/finish.hpp"
#include "bench/limits/limits.hpp"
#include "bench/measure.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using osiiso::QueueOptions;

constexpr auto kTimeout = 50ms;
// From the start of a command until its cancel, so that it sleeps and nobody is awake.
constexpr auto kRest = 5ms;
constexpr auto kPatience = 2min;  // for a whole run

osiiso::Command sleeper() {
  return osiiso::Command::argv({"/bin/sleep", "600"});
}

/// When tasks were asked to end, and how much later they had. Thread-safe.
class Delays {
 public:
  void ask(const std::string& task_id, Clock::time_point when) {
    const std::scoped_lock lock(mutex_);
    asked_[task_id] = when;
  }
  void end(const std::string& task_id) {
    const auto now = Clock::now();
    const std::scoped_lock lock(mutex_);
    milliseconds_.push_back(
        std::chrono::duration<double, std::milli>(now - asked_.at(task_id)).count());
  }
  std::vector<double> sorted() {
    std::ranges::sort(milliseconds_);
    return milliseconds_;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, Clock::time_point> asked_;
  std::vector<double> milliseconds_;
};

/// The tasks whose commands run, for the thread that cancels them.
class Started {
 public:
  void push(std::string task_id) {
    {
      const std::scoped_lock lock(mutex_);
      ids_.push_back({std::move(task_id), Clock::now()});
    }
    changed_.notify_one();
  }
  /// The next one, `kRest` after its start. None when asked to stop.
  std::optional<std::string> pop(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [&] { return !ids_.empty(); })) return std::nullopt;
    const auto [id, started] = std::move(ids_.front());
    ids_.pop_front();
    lock.unlock();
    std::this_thread::sleep_until(started + kRest);
    return id;
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::pair<std::string, Clock::time_point>> ids_;
};

QueueOptions options_for(Delays& delays) {
  QueueOptions options{.workers = 2, .timeout = kPatience};
  options.hooks.on_complete = [&](const osiiso::ResultPtr& result) { delays.end(result->task_id); };
  return options;
}

template <typename Queue>
std::vector<double> time_out(std::size_t samples) {
  Delays delays;
  auto options = options_for(delays);
  options.hooks.on_start = [&](const osiiso::HookTask& task) {
    delays.ask(task.task_id, Clock::now() + kTimeout);
  };
  Queue queue(options);
  for (std::size_t i = 0; i < samples; ++i) queue.submit({.timeout = kTimeout}, sleeper());
  if (finish(queue).failed != samples) give_up("a timeout");
  return delays.sorted();
}

template <typename Queue>
std::vector<double> cancel(std::size_t samples) {
  Delays delays;
  Started started;
  auto options = options_for(delays);
  options.hooks.on_spawn = [&](const osiiso::TaskContext& attempt, int) {
    started.push(attempt.task_id());
  };
  Queue queue(options);
  std::map<std::string, osiiso::AnyTaskHandle> handles;
  for (std::size_t i = 0; i < samples; ++i) {
    const auto handle = queue.submit(sleeper());
    handles.emplace(handle.task_id(), handle);
  }
  const std::jthread canceller([&](const std::stop_token& stop) {
    while (const auto id = started.pop(stop)) {
      delays.ask(*id, Clock::now());
      handles.at(*id).cancel();
    }
  });
  const auto summary = finish(queue);
  if (summary.cancelled != samples || summary.timed_out) give_up("a cancel");
  return delays.sorted();
}

void add(Table& table, const std::string& row, const std::vector<double>& delays) {
  const auto at = [&](double share) {
    return delays[static_cast<std::size_t>(share * static_cast<double>(delays.size() - 1))];
  };
  table.add(row, {at(0.5), at(0.99), delays.back()});
}

}  // namespace

Table measure_reactions(const LimitSettings& settings, const TemporaryFolder&) {
  Table table(
      fmt::format("reactions: {} commands, milliseconds above what was asked", settings.samples),
      {{"p50_ms", "p50 ms", 2}, {"p99_ms", "p99 ms", 2}, {"max_ms", "max ms", 2}});
  for (std::size_t round = 0; round < settings.rounds; ++round) {
    with_each_queue([&]<typename Queue>(const std::string& name) {
      add(table, name + ", timeout", time_out<Queue>(settings.samples));
      add(table, name + ", cancel", cancel<Queue>(settings.samples));
    });
  }
  return table;
}

}  // namespace bench
