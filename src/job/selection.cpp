// SPDX-License-Identifier: MIT
#include "job/selection.hpp"

#include <fnmatch.h>

#include <algorithm>

#include "base/format.hpp"
#include "model/task_name.hpp"

namespace osiiso::job {
namespace {

constexpr std::uint32_t kNotSelected = UINT32_MAX;

class Selector {
 public:
  Selector(Batch batch, Diagnostics& diagnostics)
      : diagnostics_(diagnostics),
        tasks_(batch.release_tasks()),
        groups_(batch.release_groups()),
        members_(groups_.size()),
        task_selected_(tasks_.size()),
        group_touched_(groups_.size()) {
    for (std::uint32_t i = 0; i < tasks_.size(); ++i) {
      if (tasks_[i].group) members_[static_cast<std::size_t>(*tasks_[i].group)].push_back(i);
    }
  }

  void select_group(const std::string& name);
  void select_tasks(const std::string& glob);
  void add_run_finally();
  Batch release();

 private:
  void take(std::uint32_t task);
  void take_needs();
  void take_need(const Batch::Need& need);

  Diagnostics& diagnostics_;
  std::vector<Batch::TaskEntry> tasks_;
  std::vector<Batch::GroupEntry> groups_;
  std::vector<std::vector<std::uint32_t>> members_;
  std::vector<bool> task_selected_;
  std::vector<bool> group_touched_;
  std::vector<std::uint32_t> unvisited_;  // selected tasks whose needs were not looked at
};

void Selector::select_group(const std::string& name) {
  std::vector<std::string_view> names;
  for (std::uint32_t i = 0; i < groups_.size(); ++i) {
    names.push_back(groups_[i].options.group_id);
    if (names.back() != name) continue;
    take_need({true, i});
    take_needs();
    return;
  }
  diagnostics_.add({}, base::format("no group is called {}", shown(name)),
                   did_you_mean(name, names));
}

void Selector::select_tasks(const std::string& glob) {
  constexpr std::size_t kMostNames = 10'000;
  bool has_matched = false;
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < tasks_.size(); ++i) {
    const Batch::TaskEntry& task = tasks_[i];
    std::string name = task.name.empty() ? model::default_name(task.body) : task.name;
    if (::fnmatch(glob.c_str(), name.c_str(), 0) == 0) {
      has_matched = true;
      take(i);
    } else if (names.size() < kMostNames) {
      names.push_back(std::move(name));
    }
  }
  take_needs();
  if (has_matched) return;
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  diagnostics_.add({}, base::format("no task matches {}", shown(glob)),
                   did_you_mean(glob, candidates));
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
    const Batch::TaskEntry& task = tasks_[unvisited_.back()];
    unvisited_.pop_back();
    for (const Batch::Need& need : task.needs) take_need(need);
    if (!task.group) continue;
    const auto group = static_cast<std::size_t>(*task.group);
    if (group_touched_[group]) continue;
    group_touched_[group] = true;
    for (const Batch::Need& need : groups_[group].needs) take_need(need);
    for (const std::uint32_t member : members_[group]) {
      if (tasks_[member].finally) take(member);
    }
  }
}

void Selector::add_run_finally() {
  if (std::ranges::find(task_selected_, true) == task_selected_.end()) return;
  for (std::uint32_t i = 0; i < tasks_.size(); ++i) {
    if (tasks_[i].finally && !tasks_[i].group) take(i);
  }
  take_needs();
}

Batch Selector::release() {
  Batch made;
  std::vector<Batch::Group> new_groups(groups_.size());
  std::vector<std::uint32_t> new_tasks(tasks_.size(), kNotSelected);
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    if (group_touched_[i]) new_groups[i] = made.add_group(groups_[i].options);
  }
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    if (!task_selected_[i]) continue;
    Batch::TaskEntry& task = tasks_[i];
    std::optional<Batch::Group> group;
    if (task.group) group = new_groups[static_cast<std::size_t>(*task.group)];
    const auto add =
        task.finally
            ? &Batch::add_finally
            : static_cast<Batch::Task (Batch::*)(std::string, Batch::SharedOptions, TaskBody,
                                                 std::optional<Batch::Group>)>(&Batch::add);
    new_tasks[i] = static_cast<std::uint32_t>(
        (made.*add)(std::move(task.name), std::move(task.options), std::move(task.body), group));
  }
  const auto copy_needs = [&](auto of, const std::vector<Batch::Need>& needs) {
    for (const Batch::Need& need : needs) {
      // A group that has no task is nothing to wait for.
      if (!need.is_group) {
        made.need(of, static_cast<Batch::Task>(new_tasks[need.index]));
      } else if (group_touched_[need.index]) {
        made.need(of, new_groups[need.index]);
      }
    }
  };
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    if (group_touched_[i]) copy_needs(new_groups[i], groups_[i].needs);
  }
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    if (task_selected_[i]) copy_needs(static_cast<Batch::Task>(new_tasks[i]), tasks_[i].needs);
  }
  return made;
}

}  // namespace

Batch select(Batch batch, const Selection& selection, Diagnostics& diagnostics) {
  if (selection.groups.empty() && selection.task_globs.empty()) return batch;
  Selector selector(std::move(batch), diagnostics);
  for (const std::string& name : selection.groups) selector.select_group(name);
  for (const std::string& glob : selection.task_globs) selector.select_tasks(glob);
  selector.add_run_finally();
  return selector.release();
}

}  // namespace osiiso::job
