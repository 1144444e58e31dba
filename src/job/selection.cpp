// SPDX-License-Identifier: MIT
#include "job/selection.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/format.hpp"
#include "model/task_name.hpp"

namespace osiiso::job {
namespace {

constexpr std::size_t kMostNames = 10'000;  // among which a near one is looked for

bool matches(const std::string& glob, const std::string& name) {
  return ::fnmatch(glob.c_str(), name.c_str(), 0) == 0;
}

/// The name that was meant or, where none is near, what there is.
std::string names_to_choose(std::string_view glob, std::span<const std::string> names,
                            std::size_t count) {
  constexpr std::size_t kMostListed = 5;
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  if (auto near = did_you_mean(glob, candidates); !near.empty() || names.empty()) return near;
  std::vector<std::string> quoted;
  for (const auto name : std::span(candidates).first(std::min(names.size(), kMostListed))) {
    quoted.push_back(shown(name));
  }
  if (count > quoted.size()) quoted.push_back(base::format("{} more", count - quoted.size()));
  return "there " + std::string(count > 1 ? "are " : "is ") +
         listed(std::vector<std::string_view>(quoted.begin(), quoted.end()), "and");
}

class Selector {
 public:
  Selector(Batch batch, Diagnostics& diagnostics)
      : diagnostics_(diagnostics),
        batch_(std::move(batch)),
        members_(groups().size()),
        task_selected_(tasks().size()),
        group_touched_(groups().size()) {
    for (std::uint32_t i = 0; i < tasks().size(); ++i) {
      const auto group = tasks()[i].group();
      if (group) members_[static_cast<std::size_t>(*group)].push_back(i);
    }
  }

  void select_groups(const std::string& glob);
  void select_tasks(const std::string& glob);
  void add_run_finally();
  Batch release();

 private:
  const std::vector<Batch::TaskEntry>& tasks() const { return batch_.tasks(); }
  const std::vector<Batch::GroupEntry>& groups() const { return batch_.groups(); }
  void take(std::uint32_t task);
  void take_needs();
  void take_need(const Batch::Need& need);
  void copy_groups();
  void copy_tasks();
  template <typename Of>
  void copy_needs(Of of, const std::vector<Batch::Need>& needs);

  Diagnostics& diagnostics_;
  const Batch batch_;
  std::vector<std::vector<std::uint32_t>> members_;
  std::vector<bool> task_selected_;
  std::vector<bool> group_touched_;
  std::vector<std::uint32_t> unvisited_;  // selected tasks whose needs were not looked at

  Batch made_;
  std::vector<Batch::Group> new_groups_;  // where in `made_` a touched group stands
  std::vector<Batch::Task> new_tasks_;    // where a selected task does
};

void Selector::select_groups(const std::string& glob) {
  bool has_matched = false;
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < groups().size(); ++i) {
    const std::string& name = groups()[i].options.group_id;
    if (matches(glob, name)) {
      has_matched = true;
      take_need({true, i});
    } else if (names.size() < kMostNames) {
      names.push_back(name);
    }
  }
  take_needs();
  if (has_matched) return;
  diagnostics_.add({}, base::format("no group is called {}", shown(glob)),
                   names_to_choose(glob, names, groups().size()));
}

void Selector::select_tasks(const std::string& glob) {
  bool has_matched = false;
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < tasks().size(); ++i) {
    std::string name = model::name_of(tasks()[i]);
    if (matches(glob, name)) {
      has_matched = true;
      take(i);
    } else if (names.size() < kMostNames) {
      names.push_back(std::move(name));
    }
  }
  take_needs();
  if (has_matched) return;
  diagnostics_.add({}, base::format("no task matches {}", shown(glob)),
                   names_to_choose(glob, names, tasks().size()));
}

void Selector::take(std::uint32_t task) {
  if (task_selected_[task]) return;
  task_selected_[task] = true;
  unvisited_.push_back(task);
}

void Selector::take_need(const Batch::Need& need) {
  if (!need.is_group) {
    take(need.index);
  } else {
    for (const std::uint32_t member : members_[need.index]) take(member);
  }
}

void Selector::take_needs() {
  while (!unvisited_.empty()) {
    const Batch::TaskEntry& task = tasks()[unvisited_.back()];
    unvisited_.pop_back();
    for (const Batch::Need& need : task.needs()) take_need(need);
    if (!task.group()) continue;
    const auto group = static_cast<std::size_t>(*task.group());
    if (group_touched_[group]) continue;
    group_touched_[group] = true;
    for (const Batch::Need& need : groups()[group].needs) take_need(need);
    for (const std::uint32_t member : members_[group]) {
      if (tasks()[member].finally()) take(member);
    }
  }
}

void Selector::add_run_finally() {
  if (std::ranges::find(task_selected_, true) == task_selected_.end()) return;
  for (std::uint32_t i = 0; i < tasks().size(); ++i) {
    if (tasks()[i].finally() && !tasks()[i].group()) take(i);
  }
  take_needs();
}

Batch Selector::release() {
  copy_groups();
  copy_tasks();
  for (std::size_t i = 0; i < groups().size(); ++i) {
    if (group_touched_[i]) copy_needs(new_groups_[i], groups()[i].needs);
  }
  for (std::size_t i = 0; i < tasks().size(); ++i) {
    if (task_selected_[i]) copy_needs(new_tasks_[i], tasks()[i].needs());
  }
  return std::move(made_);
}

void Selector::copy_groups() {
  new_groups_.resize(groups().size());
  for (std::size_t i = 0; i < groups().size(); ++i) {
    if (group_touched_[i]) new_groups_[i] = made_.add_group(groups()[i].options);
  }
}

void Selector::copy_tasks() {
  new_tasks_.resize(tasks().size());
  for (std::size_t i = 0; i < tasks().size(); ++i) {
    if (!task_selected_[i]) continue;
    const Batch::TaskEntry& task = tasks()[i];
    std::optional<Batch::Group> group;
    if (task.group()) group = new_groups_[static_cast<std::size_t>(*task.group())];
    if (task.finally()) {
      new_tasks_[i] = made_.add_finally(task.name(), task.options(), task.body, group);
    } else {
      new_tasks_[i] = made_.add(task.name(), task.options(), task.body, group);
    }
  }
}

template <typename Of>
void Selector::copy_needs(Of of, const std::vector<Batch::Need>& needs) {
  for (const Batch::Need& need : needs) {
    // A group that has no task is nothing to wait for.
    if (!need.is_group) {
      made_.need(of, new_tasks_[need.index]);
    } else if (group_touched_[need.index]) {
      made_.need(of, new_groups_[need.index]);
    }
  }
}

}  // namespace

Batch select(Batch batch, const Selection& selection, Diagnostics& diagnostics) {
  if (selection.group_globs.empty() && selection.task_globs.empty()) return batch;
  Selector selector(std::move(batch), diagnostics);
  for (const std::string& glob : selection.group_globs) selector.select_groups(glob);
  for (const std::string& glob : selection.task_globs) selector.select_tasks(glob);
  selector.add_run_finally();
  return selector.release();
}

}  // namespace osiiso::job
