// SPDX-License-Identifier: MIT
#include "job/start_order.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <queue>
#include <tuple>

namespace osiiso::job {
namespace {

// The walk is over nodes: tasks first, then for each group one that is passed when its ordinary
// tasks are done (its finally tasks wait for that) and one when all of them are (others need
// that), and one for the whole run without its finally tasks.
class Walk {
 public:
  explicit Walk(const Batch& batch)
      : batch_(batch),
        tasks_(batch.tasks().size()),
        nodes_(tasks_ + 2 * batch.groups().size() + 1) {
    for (std::size_t task = 0; task < tasks_; ++task) link_task(task);
    for (std::size_t group = 0; group < batch.groups().size(); ++group) {
      link(body_of(group), end_of(group));
      link(end_of(group), run_body());
    }
  }

  std::vector<std::uint32_t> run() {
    for (std::size_t node = 0; node < nodes_.size(); ++node) {
      if (nodes_[node].blockers == 0) unblocked_.push_back(node);
    }
    pass_groups();
    while (!ready_.empty()) {
      const auto start = ready_.top();
      ready_.pop();
      now_ = std::max(now_, start.at);
      order_.push_back(static_cast<std::uint32_t>(start.task));
      finish(start.task);
      pass_groups();
    }
    return std::move(order_);
  }

 private:
  struct Node {
    std::size_t blockers = 0;
    std::vector<std::size_t> dependents;
  };

  struct Start {
    Duration at;
    int priority;
    std::size_t task;
    bool operator>(const Start& other) const {
      return std::tie(at, priority, task) > std::tie(other.at, other.priority, other.task);
    }
  };

  std::size_t body_of(std::size_t group) const { return tasks_ + 2 * group; }
  std::size_t end_of(std::size_t group) const { return tasks_ + 2 * group + 1; }
  std::size_t run_body() const { return nodes_.size() - 1; }

  void link(std::size_t before, std::size_t after) {
    nodes_[before].dependents.push_back(after);
    ++nodes_[after].blockers;
  }

  void link_needs(const std::vector<Batch::Need>& needs, std::size_t task) {
    for (const auto& need : needs) link(need.is_group ? end_of(need.index) : need.index, task);
  }

  void link_task(std::size_t task) {
    const auto& entry = batch_.tasks()[task];
    link_needs(entry.needs(), task);
    if (!entry.group()) {
      entry.finally() ? link(run_body(), task) : link(task, run_body());
      return;
    }
    const auto group = static_cast<std::size_t>(*entry.group());
    if (entry.finally()) {
      link(body_of(group), task);
      link(task, end_of(group));
    } else {
      link_needs(batch_.groups()[group].needs, task);
      link(task, body_of(group));
    }
  }

  Duration delay_of(const TaskOptions& options) const {
    if (options.run_at) {
      return std::max(Duration(*options.run_at - started_at_), Duration{0});
    }
    return options.delay.value_or(Duration{0});
  }

  void finish(std::size_t node) {
    for (const auto dependent : nodes_[node].dependents) {
      if (--nodes_[dependent].blockers == 0) unblocked_.push_back(dependent);
    }
  }

  /// Makes unblocked tasks ready, and passes through unblocked groups, which take no time.
  void pass_groups() {
    while (!unblocked_.empty()) {
      const auto node = unblocked_.back();
      unblocked_.pop_back();
      if (node < tasks_) {
        const auto& options = *batch_.tasks()[node].options();
        ready_.push({std::max(now_, delay_of(options)), options.priority, node});
      } else {
        finish(node);
      }
    }
  }

  const Batch& batch_;
  const std::size_t tasks_;
  const std::chrono::system_clock::time_point started_at_ = std::chrono::system_clock::now();
  std::vector<Node> nodes_;
  std::vector<std::size_t> unblocked_;
  std::priority_queue<Start, std::vector<Start>, std::greater<>> ready_;
  std::vector<std::uint32_t> order_;
  Duration now_{0};
};

}  // namespace

std::vector<std::uint32_t> start_order(const Batch& batch) {
  return Walk(batch).run();
}

}  // namespace osiiso::job
