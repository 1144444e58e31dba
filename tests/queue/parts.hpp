// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "osiiso/run_summary.hpp"
#include "osiiso/task_options.hpp"

// What tests of queues are put together from.
namespace osiiso::test {

/// Lets one side wait for the other without sleeping.
class Gate {
 public:
  void open() {
    open_ = true;
    open_.notify_all();
  }
  void wait() const { open_.wait(false); }
  bool is_open() const { return open_; }

 private:
  std::atomic<bool> open_ = false;
};

/// Notes what happened, in order.
class Log {
 public:
  void add(const std::string& line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(line);
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

/// Blocks until asked to stop.
inline void wait_for_stop(std::stop_token stop) {
  Gate stopped;
  const std::stop_callback callback(std::move(stop), [&] { stopped.open(); });
  stopped.wait();
}

inline TaskOptions named(std::string name) {
  TaskOptions options;
  options.name = std::move(name);
  return options;
}

/// The same, to be finished however the run goes.
inline TaskOptions spared(std::string name) {
  TaskOptions options = named(std::move(name));
  options.must_complete = true;
  return options;
}

/// For batches, whose tasks may share their options.
inline std::shared_ptr<const TaskOptions> shared(const TaskOptions& options) {
  return std::make_shared<const TaskOptions>(options);
}

/// `name: message` of each result, in their order.
inline std::vector<std::string> messages(const RunSummary& summary) {
  std::vector<std::string> texts;
  for (const auto& result : summary.results) texts.push_back(result->name + ": " + result->message);
  return texts;
}

}  // namespace osiiso::test
