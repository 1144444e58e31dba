// SPDX-License-Identifier: MIT
#include "cli/cancellations.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/clock.hpp"
#include "base/format.hpp"
#include "base/text.hpp"

namespace osiiso::cli {
namespace {

constexpr std::size_t kMostNames = 10;
constexpr std::size_t kMostReasons = 10;
constexpr std::size_t kNameColumns = 60;
constexpr std::size_t kNeedColumns = 100;

std::string shown_name(const std::string& name) {
  return base::cut_to_width(base::escape_controls(name), kNameColumns);
}

std::string tasks(std::size_t count) {
  return base::format("{} task{}", count, count == 1 ? " was" : "s were");
}

}  // namespace

void Cancellations::add(const TaskResult& result) {
  if (result.status != Status::cancelled) return;
  if (result.started_at) {
    ++begun_count_;
    begun_.emplace(result.number, base::format("'{}' ({:.1f}s)", shown_name(result.name),
                                               base::in_seconds(result.duration)));
    if (begun_.size() > kMostNames) begun_.erase(std::prev(begun_.end()));
  } else if (result.message.starts_with("needs ")) {
    add_broken(result);
  } else {
    ++never_started_;
  }
}

void Cancellations::add_broken(const TaskResult& result) {
  const auto [known, is_new] = broken_.try_emplace(result.message);
  Broken& broken = known->second;
  ++broken.count;
  if (is_new || result.number < broken.number) {
    broken.first = result.name;
    broken.number = result.number;
  }
}

std::string Cancellations::cut_short(const std::string& intro) const {
  if (begun_.empty()) {
    return never_started_ == 0 ? "" : base::format("{} never started", tasks(never_started_));
  }
  std::string text = intro;
  const char* separator = "";
  for (const auto& [number, task] : begun_) text += std::exchange(separator, ", ") + task;
  if (begun_count_ > begun_.size()) {
    text += base::format(" and {} more", begun_count_ - begun_.size());
  }
  if (never_started_ > 0) text += base::format("; {} never started", tasks(never_started_));
  return text;
}

std::vector<std::string> Cancellations::not_started() const {
  std::vector<std::pair<std::string, Broken>> broken(broken_.begin(), broken_.end());
  std::ranges::sort(broken, {}, [](const auto& reason) { return reason.second.number; });
  std::vector<std::string> lines;
  std::size_t besides = 0;
  for (const auto& [need, tasks_of] : broken) {
    if (lines.size() == kMostReasons) {
      besides += tasks_of.count;
      continue;
    }
    const auto who = tasks_of.count == 1 ? base::format("'{}' was", shown_name(tasks_of.first))
                                         : tasks(tasks_of.count);
    lines.push_back(
        base::format("{} not started: {}", who, base::cut_to_width(need, kNeedColumns)));
  }
  if (besides > 0) lines.push_back(base::format("{} not started for other needs", tasks(besides)));
  return lines;
}

std::vector<std::string> Cancellations::lines() const {
  auto lines = not_started();
  if (auto text = cut_short("cancelled while running: "); !text.empty()) {
    lines.insert(lines.begin(), std::move(text));
  }
  return lines;
}

}  // namespace osiiso::cli
