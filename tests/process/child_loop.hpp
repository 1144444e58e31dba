// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <utility>

#include "process/child_set.hpp"
#include "process/launch_pad.hpp"
#include "process/running.hpp"

namespace osiiso::test {

/// Starts commands without waiting for any, and drives them to their ends.
class ChildLoop {
 public:
  explicit ChildLoop(CommandHooks hooks = {}) : hooks_(std::move(hooks)) {
    context_.with_hooks(&hooks_);
  }
  ChildLoop(const ChildLoop&) = delete;
  ChildLoop& operator=(const ChildLoop&) = delete;

  process::ChildSet::Id begin(const Command& command) {
    auto run = std::make_unique<process::ChildRun>(
        std::make_unique<const process::Launch>(command, context_, pad_));
    const auto place = started_++;
    return children_.add(std::move(run), [this, place](process::ChildResult result) {
      ended_.emplace(place, std::move(result));
    });
  }
  void stop(process::ChildSet::Id id) { children_.stop(id, {.grace = Duration{0}}, base::now()); }
  /// Does what there is to do until `is_it` holds, half a minute at most, and says whether it does.
  template <typename Is>
  bool run_until(Is is_it) {
    const auto last = base::saturating_add(base::now(), std::chrono::seconds(30));
    while (!is_it() && base::now() < last) {
      wait_for(children_, last);
      children_.step(base::now());
    }
    return is_it();
  }
  /// By the order in which they were begun.
  std::map<int, process::ChildResult> end() {
    drive_to_end(children_);
    return std::move(ended_);
  }
  process::ChildSet& children() { return children_; }

 private:
  CommandHooks hooks_;
  TaskContext context_{identity(), std::make_shared<base::StopState>()};
  process::LaunchPad pad_;
  process::ChildSet children_;
  int started_ = 0;
  std::map<int, process::ChildResult> ended_;
};

}  // namespace osiiso::test
