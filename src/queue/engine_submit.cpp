// SPDX-License-Identifier: MIT
// Submission: what was handed in becomes records and tasks of the core.
#include <algorithm>
#include <chrono>
#include <utility>

#include "base/format.hpp"
#include "model/task_name.hpp"
#include "queue/engine.hpp"

namespace osiiso::queue {
namespace {

/// A bijection that scatters neighbouring numbers, so that task ids do not look alike.
std::uint64_t scatter(std::uint64_t value) {
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31U);
}

scheduler::TaskRules rules_of(const TaskOptions& options) {
  scheduler::TaskRules rules;
  rules.priority = options.priority;
  rules.must_complete = options.must_complete;
  rules.retries = options.retries;
  rules.retry_delay = options.retry_delay;
  rules.backoff = options.backoff;
  rules.max_delay = options.max_delay;
  rules.jitter = options.jitter;
  rules.timeout = options.timeout;
  rules.retry_timeouts = options.retry_on.matches(Cause::timeout, {});
  return rules;
}

/// How long a task has to wait from its acceptance; `run_at` is converted here, once.
std::optional<Duration> wait_of(const TaskOptions& options) {
  if (!options.run_at) return options.delay;
  const auto now = std::chrono::system_clock::now();
  // Compared before it is subtracted: the distance to the earliest time does not fit.
  return *options.run_at <= now ? Duration{0} : Duration(*options.run_at - now);
}

void require_repeatable(const OptionSet& set, const TaskBody& body) {
  if (set.rules.retries > 0 && body.is_single_use()) {
    throw OptionError("a callable that takes its arguments as rvalues cannot be retried");
  }
}

/// A task that no queue knows of yet, made without any lock, for memory takes time to be had.
RecordPtr make_record(std::string name, TaskBody body) {
  auto record = std::make_shared<TaskRecord>();
  record->result.name = name.empty() ? model::default_name(body) : std::move(name);
  record->body = std::move(body);
  return record;
}

bool is_command(const TaskRecord& record) {
  return record.body.command() != nullptr;
}

struct Restored {
  std::size_t task;
  std::any value;
};

/// What earlier runs have finished, in the order of the tasks.
std::vector<Restored> restored_values(const std::vector<Batch::TaskEntry>& tasks) {
  std::vector<Restored> restored;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (!tasks[i].recorder) continue;
    if (auto value = tasks[i].recorder->restore()) restored.push_back({i, std::move(*value)});
  }
  return restored;
}

}  // namespace

RecordPtr Engine::submit(TaskOptions options, TaskBody body, bool wait_for_room) {
  validate(options);
  require_callable(body);
  require_own(options.needs);
  // Apart from these two, most tasks have the options of the one before.
  auto record = make_record(std::exchange(options.name, {}), std::move(body));
  const auto needs = std::exchange(options.needs, {});
  submit_record(
      record, needs, [&](bool is_command) { return option_set(std::move(options), is_command); },
      wait_for_room);
  return record;
}

RecordPtr Engine::submit(TaskBody body, bool wait_for_room) {
  require_callable(body);
  auto record = make_record({}, std::move(body));
  submit_record(
      record, {}, [&](bool is_command) { return option_set(defaults_, is_command); },
      wait_for_room);
  return record;
}

template <typename SetOf>
void Engine::submit_record(const RecordPtr& record, const std::vector<TaskNeed>& needs,
                           const SetOf& set_of, bool wait_for_room) {
  Turn turn(*this);
  auto set = set_of(is_command(*record));
  require_open(*set);
  require_repeatable(*set, record->body);
  if (!fits(1)) {
    if (!wait_for_room) throw_full();
    ++waiters_;
    finished_.wait(turn.lock(), [&] { return fits(1) || closed_; });
    --waiters_;
    now_ = base::now();
    require_open(*set);
  }
  add_to_core(record, std::move(set), {}, scheduler::Scope::none);
  link_needs(record, needs);
  notify_submitted(record);
  accept(record, now_);
}

Accepted Engine::submit(Batch batch, bool wait_for_room) {
  if (const auto cycle = batch.find_cycle(); !cycle.empty()) {
    std::string path = cycle.front();
    for (std::size_t i = 1; i < cycle.size(); ++i) path += " -> " + cycle[i];
    throw OptionError("needs form a cycle: " + path);
  }
  for (const auto& task : batch.tasks()) {
    require_callable(task.body);
    require_own(task.options->needs);
  }
  auto tasks = batch.release_tasks();
  const auto group_entries = batch.release_groups();
  auto restored = restored_values(tasks);

  Accepted accepted;
  accepted.tasks.reserve(tasks.size());
  for (auto& task : tasks) {
    if (task.name.empty()) task.name = task.options->name;
    accepted.tasks.push_back(make_record(std::move(task.name), std::move(task.body)));
    if (task.recorder) accepted.tasks.back()->make_extras().recorder = std::move(task.recorder);
  }

  const Turn turn(*this);
  const auto set_of = [&](std::size_t task) {
    return option_set(tasks[task].options, is_command(*accepted.tasks[task]));
  };
  if (!wait_for_room && !fits(tasks.size() - restored.size())) throw_full();
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const auto set = set_of(i);
    if (!tasks[i].finally) require_open(*set);
    require_repeatable(*set, accepted.tasks[i]->body);
  }

  accepted.groups = add_groups(group_entries);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const auto& task = tasks[i];
    const auto& record = accepted.tasks[i];
    if (task.group) record->group = accepted.groups[static_cast<std::size_t>(*task.group)];
    auto scope = scheduler::Scope::none;
    if (task.finally) scope = task.group ? scheduler::Scope::group : scheduler::Scope::run;
    add_to_core(record, set_of(i), task.group ? record->group->index : std::nullopt, scope);
  }

  const auto target = [&](const Batch::Need& need) -> scheduler::Need {
    if (need.is_group) return *accepted.groups[need.index]->index;
    return accepted.tasks[need.index]->index;
  };
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const auto& record = accepted.tasks[i];
    link_needs(record, tasks[i].options->needs);
    for (const auto& need : tasks[i].needs) core_.need(record->index, target(need));
    if (!tasks[i].group || tasks[i].finally) continue;
    for (const auto& need : group_entries[static_cast<std::size_t>(*tasks[i].group)].needs) {
      core_.need(record->index, target(need));
    }
  }
  for (const auto& group : accepted.groups) core_.seal(*group->index);
  auto next_restored = restored.begin();
  for (std::size_t i = 0; i < accepted.tasks.size(); ++i) {
    notify_submitted(accepted.tasks[i]);
    if (next_restored != restored.end() && next_restored->task == i) {
      restore(*accepted.tasks[i], std::move(next_restored++->value));
    } else {
      accept(accepted.tasks[i], now_);
    }
  }
  return accepted;
}

void Engine::require_callable(const TaskBody& body) const {
  if (!body) throw OptionError("a task needs something to call");
  if (require_body_ != nullptr) require_body_(body);
}

void Engine::require_own(const std::vector<TaskNeed>& needs) const {
  for (const auto& need : needs) {
    if (need.engine.get() != this) throw OptionError("needs must be of the same queue");
  }
}

/// The needs of the options, which are handles and groups, perhaps of an earlier run.
void Engine::link_needs(const RecordPtr& record, const std::vector<TaskNeed>& needs) {
  for (const auto& need : needs) {
    const auto& name = need.task ? need.task->result.name : need.group->group_id.str();
    const Status outcome = need.task ? need.task->result.status : need.group->outcome;
    if (need.task && !is_released(need.task)) {
      core_.need(record->index, need.task->index);
    } else if (need.group && need.group->index) {
      core_.need(record->index, *need.group->index);
    } else if (outcome != Status::succeeded) {
      record->result.message = need_text(name, outcome == Status::failed);
    }
  }
}

void Engine::accept(const RecordPtr& record, Instant at) {
  core_.accept(record->index, at);
  if (!record->result.message.empty()) core_.cancel(record->index, at);
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

bool Engine::fits(std::size_t tasks) const {
  return options_.size == 0 ||
         core_.unfinished() + tasks <= static_cast<std::size_t>(options_.size);
}

void Engine::throw_full() const {
  throw QueueFullError(base::format("queue is full ({} tasks outstanding)", core_.unfinished()));
}

std::shared_ptr<const OptionSet> Engine::option_set(std::shared_ptr<const TaskOptions> options,
                                                    bool is_command) {
  // Needs would keep the queue alive that they are of, and this is kept by that queue.
  if (!options->needs.empty()) {
    auto rest = *options;
    rest.needs.clear();
    return option_set(std::move(rest), is_command);
  }
  auto& last = is_command ? last_command_set_ : last_function_set_;
  if (last && last->options == options) return last;
  auto made = std::make_shared<OptionSet>();
  made->grace = options->grace.value_or(options_.grace);
  made->rules = rules_of(*options);
  // A command's attempt ends when its processes are gone; only functions can be deaf for ever.
  if (!is_command && require_body_ == nullptr) made->rules.abandon_after = made->grace;
  made->options = std::move(options);
  last = std::move(made);
  return last;
}

std::shared_ptr<const OptionSet> Engine::option_set(TaskOptions options, bool is_command) {
  const auto& last = is_command ? last_command_set_ : last_function_set_;
  if (last && *last->options == options) return last;
  return option_set(std::make_shared<const TaskOptions>(std::move(options)), is_command);
}

void Engine::require_open(const OptionSet& set) const {
  if (closed_ || !core_.accepts(set.rules)) throw ClosedError("queue is not accepting tasks");
}

GroupPtr Engine::named_group(const std::string& group_id) {
  if (!last_named_group_ || last_named_group_->group_id != group_id) {
    last_named_group_ = std::make_shared<GroupRecord>(GroupRecord{.group_id = group_id});
  }
  return last_named_group_;
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

void Engine::add_to_core(const RecordPtr& record, std::shared_ptr<const OptionSet> set,
                         std::optional<scheduler::GroupIndex> group, scheduler::Scope finally) {
  record->result.number = ++next_sequence_;
  record->result.task_id = TaskId(key_high_, key_low_ ^ scatter(next_sequence_));
  record->result.created_at = now_.time_since_epoch();
  record->set = std::move(set);
  const auto& options = *record->set->options;
  if (!group && !options.group_id.empty()) record->group = named_group(options.group_id);
  record->result.must_complete = options.must_complete || finally != scheduler::Scope::none;
  record->index = core_.add({.rules = &record->set->rules,
                             .group = group,
                             .finally = finally,
                             .delay = wait_of(options)});
  const auto at = static_cast<std::size_t>(record->index);
  if (records_.size() <= at) records_.resize(at + 1);
  records_[at] = record;
  if (options_.keep_results) accepted_.push_back(record->index);
}

}  // namespace osiiso::queue
