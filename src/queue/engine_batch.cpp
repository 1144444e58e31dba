// SPDX-License-Identifier: MIT
// Batches: tasks that are accepted together, and get their records one by one.
#include <algorithm>
#include <iterator>
#include <utility>

#include "base/format.hpp"
#include "queue/engine.hpp"

namespace osiiso::queue {
namespace {

/// What earlier runs have finished, in the order of the tasks.
std::vector<RestoredTask> restored_tasks(const std::vector<Batch::TaskEntry>& tasks) {
  std::vector<RestoredTask> restored;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const auto recorder = tasks[i].recorder();
    if (!recorder) continue;
    if (auto value = recorder->restore()) restored.push_back({i, std::move(*value)});
  }
  return restored;
}

void require_no_cycle(const Batch& batch) {
  const auto cycle = batch.find_cycle();
  if (cycle.empty()) return;
  std::string path = cycle.front();
  for (std::size_t i = 1; i < cycle.size(); ++i) path += " -> " + cycle[i];
  throw OptionError("needs form a cycle: " + path);
}

scheduler::Scope scope_of(const Batch::TaskEntry& task) {
  if (!task.finally()) return scheduler::Scope::none;
  return task.group() ? scheduler::Scope::group : scheduler::Scope::run;
}

}  // namespace

const std::shared_ptr<const OptionSet>& PostedBatch::set_of(std::size_t task) const {
  const auto behind =
      std::ranges::upper_bound(sets, task, {}, [](const auto& from) { return from.first; });
  return std::prev(behind)->second;
}

Accepted Engine::submit(Batch batch, bool wait_for_room) {
  return hand_in(std::move(batch), wait_for_room, true);
}

void Engine::post(Batch batch, bool wait_for_room) {
  hand_in(std::move(batch), wait_for_room, false);
}

Accepted Engine::hand_in(Batch batch, bool wait_for_room, bool with_records) {
  require_no_cycle(batch);
  for (const auto& task : batch.tasks()) {
    require_callable(task.body);
    require_own(task.options()->needs);
  }
  auto contents = batch.release();
  const auto& groups = contents.groups;
  PostedBatch incoming{.traits = std::move(contents.traits), .tasks = std::move(contents.tasks)};
  auto restored = restored_tasks(incoming.tasks);
  Accepted accepted;
  if (with_records) {  // made without the lock, for memory takes time to be had
    accepted.tasks.reserve(incoming.tasks.size());
    for (const auto& task : incoming.tasks)
      accepted.tasks.push_back(make_record(task.name(), task.body));
  }

  const Turn turn(*this);
  if (!wait_for_room && !fits(incoming.tasks.size() - restored.size())) throw_full();
  choose_sets(incoming);
  incoming.groups = add_groups(groups);
  posted_.push_front(std::move(incoming));
  const auto posted = posted_.begin();
  const auto indices = add_to_core(posted);
  accepted.groups = posted->groups;
  for (std::uint32_t i = 0; i < accepted.tasks.size(); ++i) {
    note_submission({posted, i}, indices[i], accepted.tasks[i]);
  }
  link_needs(*posted, groups, indices);
  // Their needs hold handles, which would keep the queue alive that holds them.
  for (auto& traits : posted->traits) traits.options.reset();
  for (const auto& group : posted->groups) core_.seal(*group->index);
  accept_all(indices, std::move(restored));
  release(posted);
  return accepted;
}

/// Throws where a task is not to be accepted; nothing has been changed then.
void Engine::choose_sets(PostedBatch& batch) {
  for (std::size_t i = 0; i < batch.tasks.size(); ++i) {
    const auto& task = batch.tasks[i];
    auto set = option_set(task.options(), task.body.command() != nullptr);
    if (!task.finally()) require_open(*set);
    require_repeatable(*set, task.body);
    if (batch.sets.empty() || batch.sets.back().second != set) {
      batch.sets.emplace_back(i, std::move(set));
    }
  }
}

std::vector<GroupPtr> Engine::add_groups(const std::vector<Batch::GroupEntry>& groups) {
  std::vector<GroupPtr> added;
  added.reserve(groups.size());
  for (const auto& group : groups) {
    auto made = std::make_shared<GroupRecord>();
    made->group_id = group.options.group_id.empty() ? base::format("group-{}", next_sequence_)
                                                    : group.options.group_id;
    made->index = core_.add_group(static_cast<std::size_t>(group.options.workers));
    const auto at = static_cast<std::size_t>(*made->index);
    if (groups_.size() <= at) groups_.resize(at + 1);
    groups_[at] = made;
    run_groups_.push_back(made);
    added.push_back(std::move(made));
  }
  return added;
}

std::vector<scheduler::TaskIndex> Engine::add_to_core(PostedBatches::iterator posted) {
  std::vector<scheduler::TaskIndex> indices;
  indices.reserve(posted->tasks.size());
  posted->first_number = next_sequence_ + 1;
  posted->submitted_at = now_;
  posted->users += posted->tasks.size();
  for (std::uint32_t i = 0; i < posted->tasks.size(); ++i) {
    const auto& task = posted->tasks[i];
    const auto group = task.group() ? posted->groups[static_cast<std::size_t>(*task.group())]->index
                                    : std::nullopt;
    indices.push_back(add_to_core(*posted->set_of(i), group, scope_of(task), Posted{posted, i}));
  }
  return indices;
}

void Engine::link_needs(const PostedBatch& batch, const std::vector<Batch::GroupEntry>& groups,
                        const std::vector<scheduler::TaskIndex>& indices) {
  const auto link = [&](scheduler::TaskIndex task, const std::vector<Batch::Need>& needs) {
    for (const auto& need : needs) {
      if (need.is_group) {
        core_.need(task, *batch.groups[need.index]->index);
      } else {
        core_.need(task, indices[need.index]);
      }
    }
  };
  for (std::size_t i = 0; i < batch.tasks.size(); ++i) {
    const auto& task = batch.tasks[i];
    link(indices[i], task.needs());
    if (task.group() && !task.finally()) {
      link(indices[i], groups[static_cast<std::size_t>(*task.group())].needs);
    }
    const auto& outer = task.options()->needs;
    if (!outer.empty()) link_needs(record(indices[i]), outer);
  }
}

void Engine::accept_all(const std::vector<scheduler::TaskIndex>& indices,
                        std::vector<RestoredTask> restored) {
  auto next_restored = restored.begin();
  for (std::size_t i = 0; i < indices.size(); ++i) {
    notify_submitted(indices[i]);
    if (next_restored != restored.end() && next_restored->task == i) {
      restore(*record(indices[i]), std::move(next_restored++->value));
    } else {
      accept(indices[i]);
    }
  }
}

void Engine::restore(TaskRecord& record, std::any value) {
  auto& result = record.result;
  if (const auto* output = std::any_cast<std::shared_ptr<const CommandOutput>>(&value)) {
    result.output = *output;
  }
  result.value = std::move(value);
  result.message = "restored from checkpoint";
  result.restored = true;
  core_.restore(record.index, now_);
}

void Engine::release(PostedBatches::iterator posted) {
  if (--posted->users == 0) posted_.erase(posted);
}

void Engine::make_record_of(Posted place, scheduler::TaskIndex index) {
  auto& task = place.batch->tasks[place.task];
  const auto record = make_record(task.name(), task.body);
  task.body = {};  // for the record to let go of when the task is final
  task.own_name.reset();
  note_submission(place, index, record);
}

/// Has the record of a posted task stand for it from now on.
void Engine::note_submission(const Posted& place, scheduler::TaskIndex index,
                             const RecordPtr& record) {
  auto& batch = *place.batch;
  auto& task = batch.tasks[place.task];
  if (task.recorder()) record->make_extras().recorder = std::move(task.details->recorder);
  if (task.group()) record->group = batch.groups[static_cast<std::size_t>(*task.group())];
  record->index = index;
  note_submission(*record, batch.set_of(place.task), batch.first_number + place.task,
                  batch.submitted_at);
  if (task.finally()) record->result.must_complete = true;
  slots_[static_cast<std::size_t>(index)] = record;
  release(place.batch);
}

}  // namespace osiiso::queue
