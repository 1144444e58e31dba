// SPDX-License-Identifier: MIT
// Submission: what was handed in becomes tasks of the core.
#include <algorithm>
#include <chrono>
#include <utility>

#include "base/format.hpp"
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
  auto set = set_of(record->body.command() != nullptr);
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
  record->index = add_to_core(*set, {}, scheduler::Scope::none, record);
  note_submission(*record, std::move(set), next_sequence_, now_);
  link_needs(record, needs);
  notify_submitted(record->index);
  accept(record->index);
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

void Engine::accept(scheduler::TaskIndex index) {
  core_.accept(index, now_);
  const auto* record = known_record(index);
  if (record != nullptr && !record->result.message.empty()) core_.cancel(index, now_);
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

scheduler::TaskIndex Engine::add_to_core(const OptionSet& set,
                                         std::optional<scheduler::GroupIndex> group,
                                         scheduler::Scope finally, Slot slot) {
  ++next_sequence_;
  const auto index = core_.add(
      {.rules = &set.rules, .group = group, .finally = finally, .delay = wait_of(*set.options)});
  const auto at = static_cast<std::size_t>(index);
  if (at == slots_.size()) {
    slots_.push_back(std::move(slot));
  } else {
    slots_[at] = std::move(slot);
  }
  if (options_.keep_results) accepted_.push_back(index);
  return index;
}

void Engine::note_submission(TaskRecord& record, std::shared_ptr<const OptionSet> set,
                             std::uint64_t number, Instant at) {
  record.result.number = number;
  record.result.task_id = TaskId(key_high_, key_low_ ^ scatter(number));
  record.result.created_at = at.time_since_epoch();
  record.set = std::move(set);
  const auto& options = *record.set->options;
  if (!record.group && !options.group_id.empty()) record.group = named_group(options.group_id);
  record.result.must_complete = options.must_complete;
}

}  // namespace osiiso::queue
