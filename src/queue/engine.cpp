// SPDX-License-Identifier: MIT
#include "queue/engine.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include "base/format.hpp"
#include "model/task_name.hpp"

namespace osiiso::queue {
namespace {

using scheduler::CancelReason;
using scheduler::State;
using scheduler::Verdict;

std::uint64_t random_bits() {
  std::random_device device;
  return (std::uint64_t{device()} << 32U) | device();
}

scheduler::QueueRules rules_of(const QueueOptions& options, int workers) {
  scheduler::QueueRules rules;
  rules.workers = static_cast<std::size_t>(workers);
  rules.size = static_cast<std::size_t>(options.size);
  rules.rate = options.rate;
  rules.burst = options.burst;
  rules.mode = options.mode;
  rules.fail_policy = options.fail_policy;
  rules.on_timeout = options.on_timeout;
  rules.seed = options.seed ? *options.seed : random_bits();
  return rules;
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
  const auto wait = *options.run_at - std::chrono::system_clock::now();
  return std::max(std::chrono::duration_cast<Duration>(wait), Duration{0});
}

/// A bijection that scatters neighbouring numbers, so that task ids do not look alike.
std::uint64_t scatter(std::uint64_t value) {
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31U);
}

std::string hex_id(std::uint64_t high, std::uint64_t low) {
  return base::format("{:016x}{:016x}", high, low);
}

void require_callable(const TaskBody& body) {
  if (!body) throw OptionError("a task needs something to call");
}

void require_repeatable(const OptionSet& set, const TaskBody& body) {
  if (set.rules.retries > 0 && body.is_single_use()) {
    throw OptionError("a callable that takes its arguments as rvalues cannot be retried");
  }
}

std::string name_of(const TaskRecord& record) {
  return record.result ? record.result->name : record.name;
}

std::string need_text(const std::string& name, bool failed) {
  return base::format("needs '{}', which {}", name, failed ? "failed" : "was cancelled");
}

Status status_of(State state) {
  switch (state) {
    case State::succeeded:
      return Status::succeeded;
    case State::failed:
      return Status::failed;
    default:
      return Status::cancelled;
  }
}

}  // namespace

Engine::Engine(const QueueOptions& options, int workers)
    : options_(options),
      key_high_(random_bits()),
      key_low_(random_bits()),
      core_(rules_of(options, workers)) {}

void Engine::attach(Workers* workers) {
  const Lock lock(mutex_);
  workers_ = workers;
}

// Submission

RecordPtr Engine::submit(TaskOptions options, TaskBody body, bool wait_for_room) {
  validate(options);
  require_callable(body);
  require_own(options.needs);
  Turn turn(*this);
  auto set = option_set(std::make_shared<const TaskOptions>(std::move(options)),
                        body.command() != nullptr);
  require_open(*set);
  require_repeatable(*set, body);
  if (!fits(1)) {
    if (!wait_for_room) throw_full();
    ++waiters_;
    finished_.wait(turn.lock(), [&] { return fits(1) || closed_; });
    --waiters_;
    require_open(*set);
  }
  auto record = make_record({}, std::move(set), std::move(body));
  add_to_core(record, {}, scheduler::Scope::none);
  link_needs(record);
  accept(record, base::now());
  return record;
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

  const Turn turn(*this);
  if (!wait_for_room && !fits(tasks.size())) throw_full();
  for (const auto& task : tasks) {
    const auto set = option_set(task.options, task.body.command() != nullptr);
    if (!task.finally) require_open(*set);
    require_repeatable(*set, task.body);
  }

  Accepted accepted{.tasks = {}, .groups = add_groups(group_entries)};
  accepted.tasks.reserve(tasks.size());
  for (auto& task : tasks) {
    auto set = option_set(task.options, task.body.command() != nullptr);
    auto record = make_record(std::move(task.name), std::move(set), std::move(task.body));
    if (task.group) record->group = accepted.groups[static_cast<std::size_t>(*task.group)];
    auto scope = scheduler::Scope::none;
    if (task.finally) scope = task.group ? scheduler::Scope::group : scheduler::Scope::run;
    add_to_core(record, task.group ? record->group->index : std::nullopt, scope);
    accepted.tasks.push_back(std::move(record));
  }

  const auto target = [&](const Batch::Need& need) -> scheduler::Need {
    if (need.is_group) return *accepted.groups[need.index]->index;
    return accepted.tasks[need.index]->index;
  };
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const auto& record = accepted.tasks[i];
    link_needs(record);
    for (const auto& need : tasks[i].needs) core_.need(record->index, target(need));
    if (!tasks[i].group || tasks[i].finally) continue;
    for (const auto& need : group_entries[static_cast<std::size_t>(*tasks[i].group)].needs) {
      core_.need(record->index, target(need));
    }
  }
  for (const auto& group : accepted.groups) core_.seal(*group->index);
  const auto at = base::now();
  for (const auto& record : accepted.tasks) accept(record, at);
  return accepted;
}

void Engine::require_own(const std::vector<TaskNeed>& needs) const {
  for (const auto& need : needs) {
    if (need.engine.get() != this) throw OptionError("needs must be of the same queue");
  }
}

/// The needs of the options, which are handles and groups, perhaps of an earlier run.
void Engine::link_needs(const RecordPtr& record) {
  for (const auto& need : record->set->options->needs) {
    const auto& name = need.task ? name_of(*need.task) : need.group->group_id;
    const Status outcome = need.task ? need.task->status : need.group->outcome;
    if (need.task && !need.task->released) {
      core_.need(record->index, need.task->index);
    } else if (need.group && need.group->index) {
      core_.need(record->index, *need.group->index);
    } else if (outcome != Status::succeeded) {
      record->broken_need = need_text(name, outcome == Status::failed);
    }
  }
}

void Engine::accept(const RecordPtr& record, Instant at) {
  core_.accept(record->index, at);
  if (!record->broken_need.empty()) core_.cancel(record->index, at);
}

bool Engine::fits(std::size_t tasks) const {
  return options_.size == 0 ||
         core_.unfinished() + tasks <= static_cast<std::size_t>(options_.size);
}

void Engine::throw_full() const {
  throw QueueFullError(base::format("queue is full ({} tasks outstanding)", core_.unfinished()));
}

RecordPtr Engine::make_record(std::string name, std::shared_ptr<const OptionSet> set,
                              TaskBody body) {
  auto record = std::make_shared<TaskRecord>();
  record->sequence = next_sequence_++;
  record->created_at = base::now();
  if (name.empty()) name = set->options->name;
  if (name.empty()) name = model::default_name(body);
  record->name = std::move(name);
  record->set = std::move(set);
  record->body = std::move(body);
  return record;
}

std::shared_ptr<const OptionSet> Engine::option_set(std::shared_ptr<const TaskOptions> options,
                                                    bool is_command) {
  auto& last = is_command ? last_command_set_ : last_function_set_;
  if (last && last->options == options) return last;
  auto made = std::make_shared<OptionSet>();
  made->grace = options->grace.value_or(options_.grace);
  made->rules = rules_of(*options);
  // A command's attempt ends when its processes are gone; only functions can be deaf for ever.
  if (!is_command) made->rules.abandon_after = made->grace;
  made->options = std::move(options);
  last = std::move(made);
  return last;
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

void Engine::add_to_core(const RecordPtr& record, std::optional<scheduler::GroupIndex> group,
                         scheduler::Scope finally) {
  const auto& options = *record->set->options;
  if (!group && !options.group_id.empty()) record->group = named_group(options.group_id);
  record->is_finally = finally != scheduler::Scope::none;
  record->index = core_.add({.rules = &record->set->rules,
                             .group = group,
                             .finally = finally,
                             .delay = wait_of(options)});
  const auto at = static_cast<std::size_t>(record->index);
  if (records_.size() <= at) records_.resize(at + 1);
  records_[at] = record;
  accepted_.push_back(record);
}

// Handles

bool Engine::cancel(const RecordPtr& record) {
  const Turn turn(*this);
  // The index of a final task may stand for another one by now.
  return !is_final(record->status) && core_.cancel(record->index, base::now());
}

Status Engine::status(const TaskRecord& record) const {
  const Lock lock(mutex_);
  return record.status;
}

int Engine::attempts(const TaskRecord& record) const {
  const Lock lock(mutex_);
  return record.attempts;
}

std::string Engine::name(const TaskRecord& record) const {
  const Lock lock(mutex_);
  return name_of(record);
}

std::string Engine::task_id(const TaskRecord& record) const {
  return hex_id(key_high_, key_low_ ^ scatter(record.sequence + 1));
}

ResultPtr Engine::result(const TaskRecord& record) const {
  const Lock lock(mutex_);
  return record.result;
}

ResultPtr Engine::wait(const TaskRecord& record, std::optional<Duration> timeout) const {
  Lock lock(mutex_);
  const auto is_done = [&] { return record.result != nullptr; };
  ++waiters_;
  if (timeout) {
    finished_.wait_until(lock, base::saturating_add(base::now(), *timeout), is_done);
  } else {
    finished_.wait(lock, is_done);
  }
  --waiters_;
  return record.result;
}

void Engine::on_done(const RecordPtr& record, std::function<void()> callback) {
  {
    const Turn turn(*this);
    if (!record->result) {
      record->callbacks.push_back(std::move(callback));
      return;
    }
  }
  call_guarded(callback);
}

std::uint64_t Engine::finish_order(const TaskRecord& record) const {
  const Lock lock(mutex_);
  return record.finish_order;
}

QueueStats Engine::stats() const {
  const Lock lock(mutex_);
  return {
      .outstanding = core_.unfinished(), .running = core_.running(), .finished = finished_count_};
}

// The run

void Engine::note_started() {
  const Lock lock(mutex_);
  if (!started_at_) started_at_ = base::now();
}

void Engine::begin_run(std::optional<Duration> timeout) {
  if (timeout && *timeout <= Duration{0}) throw OptionError("timeout must be > 0");
  const Turn turn(*this);
  if (closed_) throw ClosedError("queue has been shut down");
  if (running_) throw StateError("run() is already in progress");
  running_ = true;
  const auto at = base::now();
  if (!started_at_) started_at_ = at;
  if (!timeout) timeout = options_.timeout;
  // A halt that came between the submission and this call stands.
  if (timeout) core_.limit_run(at, *timeout);
}

bool Engine::is_idle() const {
  return core_.unfinished() == 0 && notices_.empty() && !delivering_;
}

bool Engine::run_is_over() const {
  if (!is_idle()) return false;
  return options_.mode == Mode::finite || closed_ || core_.halted() != scheduler::Halt::none;
}

bool Engine::is_run_over() const {
  const Lock lock(mutex_);
  return run_is_over();
}

void Engine::on_over(std::function<void()> on_over) {
  const Lock lock(mutex_);
  on_over_ = std::move(on_over);
}

RunSummary Engine::finish_run() {
  Lock lock(mutex_);
  over_.wait(lock, [&] { return run_is_over(); });
  auto summary = collect();
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  return summary;
}

RunSummary Engine::collect() {
  RunSummary summary;
  summary.timed_out = core_.timed_out();
  if (started_at_) summary.duration = base::now() - *started_at_;
  summary.results.reserve(accepted_.size());
  for (auto& record : accepted_) {
    if (!record->result->detached) summary.add(record->result);
    core_.release(record->index);
    record->released = true;
    records_[static_cast<std::size_t>(record->index)].reset();
  }
  for (const auto& group : run_groups_) {
    core_.release(*group->index);
    groups_[static_cast<std::size_t>(*group->index)].reset();
    group->index.reset();
  }
  accepted_.clear();
  run_groups_.clear();
  core_.begin_run(base::now(), {});
  stop_signal_ = SIGTERM;
  stop_grace_.reset();
  started_at_.reset();
  running_ = false;
  return summary;
}

void Engine::halt(int signal, std::optional<Duration> grace) {
  const Turn turn(*this);
  stop_signal_ = signal;
  stop_grace_ = grace;
  core_.halt(scheduler::Halt::spare_must_complete, base::now());
}

void Engine::kill() {
  const Turn turn(*this);
  core_.halt(scheduler::Halt::spare_nothing, base::now());
}

void Engine::fail(std::exception_ptr error) {
  const Turn turn(*this);
  if (!error_) error_ = std::move(error);
  core_.halt(scheduler::Halt::spare_nothing, base::now());
}

void Engine::close() {
  const Turn turn(*this);
  closed_ = true;
  core_.close(base::now());
  finished_.notify_all();
}

void Engine::require_not_closed() const {
  const Lock lock(mutex_);
  if (closed_) throw ClosedError("queue has been shut down");
}

void Engine::wait_until_idle() {
  Lock lock(mutex_);
  over_.wait(lock, [&] { return is_idle(); });
}

void Engine::reset() {
  {
    const Turn turn(*this);
    if (running_) throw StateError("a running queue cannot be reset");
    core_.halt(scheduler::Halt::spare_nothing, base::now());
  }
  Lock lock(mutex_);
  over_.wait(lock, [&] { return is_idle(); });
  collect();
  closed_ = false;
  error_ = nullptr;
}

// The workers

scheduler::Next Engine::next(Turn& /*turn*/) {
  const auto next = core_.next(base::now());
  settle();
  return next;
}

Attempt Engine::start(const scheduler::Start& start, int worker, Turn& /*turn*/) {
  const auto& record = records_[static_cast<std::size_t>(start.task)];
  const auto at = base::now();
  record->status = Status::running;
  record->attempts = start.attempt;
  record->worker = worker;
  record->attempt_started_at = at;
  record->stop = std::make_shared<base::StopState>();
  if (!record->started_at) record->started_at = at;
  return {record, record->body,
          TaskContext({.run_id = hex_id(key_high_, key_low_),
                       .task_id = task_id(*record),
                       .name = record->name,
                       .group_id = record->group ? record->group->group_id : std::string(),
                       .attempt = start.attempt,
                       .max_attempts = record->set->rules.retries + 1,
                       .worker = worker,
                       .grace = record->set->grace},
                      record->stop)};
}

void Engine::end(const Attempt& attempt, AttemptOutcome outcome, Turn& /*turn*/) {
  auto& record = *attempt.record;
  const auto& retry_on = record.set->options->retry_on;
  const auto verdict =
      core_.finished(record.index, attempt.context.attempt(),
                     {.succeeded = outcome.cause == Cause::none,
                      .retryable = retry_on.matches(outcome.cause, outcome.exit_code)},
                     base::now());
  if (!verdict) return;
  note_attempt(record, *verdict, std::move(outcome));
}

void Engine::tick(Turn& /*turn*/) {
  core_.due(base::now());
}

void Engine::announce(const Attempt& attempt) {
  if (!options_.hooks.on_start) return;
  HookTask task;
  {
    Lock lock(mutex_);
    delivered_.wait(lock, [&] { return attempt.record->undelivered == 0; });
    task = hook_task(*attempt.record, attempt.context.attempt());
  }
  call_guarded([&] { options_.hooks.on_start(task); });
}

// Hooks

HookTask Engine::hook_task(const TaskRecord& record, int attempt) const {
  return {.task_id = task_id(record),
          .name = name_of(record),
          .group_id = record.group ? record.group->group_id : std::string(),
          .attempt = attempt};
}

void Engine::notify(const RecordPtr& record, std::function<void()> call) {
  ++record->undelivered;
  notices_.push_back({record, std::move(call)});
}

/// Calls what is in `notices_`, in order. Whoever comes while another thread is at it leaves its
/// own to that one, so a hook may use the queue.
void Engine::deliver(Lock& lock) {
  if (delivering_ || notices_.empty()) return;
  delivering_ = true;
  while (!notices_.empty()) {
    const auto notice = std::move(notices_.front());
    notices_.pop_front();
    lock.unlock();
    call_guarded(notice.call);
    lock.lock();
    --notice.record->undelivered;
    delivered_.notify_all();
  }
  delivering_ = false;
  tell_if_over();
}

void Engine::call_guarded(const std::function<void()>& hook) const noexcept {
  try {
    hook();
  } catch (...) {
    if (!options_.hooks.on_error) return;
    try {
      options_.hooks.on_error(std::current_exception());
    } catch (...) {  // NOLINT(bugprone-empty-catch): there is nobody left to tell
    }
  }
}

// What the core decides

void Engine::settle() {
  for (const auto& effect : core_.take_effects()) {
    std::visit([this](const auto& happened) { carry_out(happened); }, effect);
  }
  tell_if_over();
  if (workers_ == nullptr) return;
  if (core_.startable()) workers_->wake();
  if (const auto due = core_.next_due()) workers_->alarm(*due);
}

void Engine::carry_out(const scheduler::StopRequested& effect) {
  using Why = scheduler::StopRequested::Why;
  const auto& task = *record(effect.task);
  base::StopRequest request{.signal = SIGTERM, .grace = task.set->grace};
  if (effect.why == Why::cancel) {
    request.signal = stop_signal_;
    if (stop_grace_) request.grace = std::min(request.grace, *stop_grace_);
  } else if (effect.why == Why::kill) {
    request = {.signal = SIGKILL, .grace = Duration{0}};
  }
  task.stop->request(request);
}

void Engine::carry_out(const scheduler::Abandoned& effect) {
  auto& task = *record(effect.task);
  note_attempt(task, effect.verdict, {});
  if (workers_ != nullptr) workers_->replace(task.worker);
}

void Engine::carry_out(const scheduler::RetryScheduled& effect) {
  const auto& task = record(effect.task);
  task->status = Status::retrying;
  if (!options_.hooks.on_retry) return;
  notify(task, [this, about = hook_task(*task, effect.attempt),
                failed = task->attempt_list.back()] { options_.hooks.on_retry(about, failed); });
}

void Engine::tell_if_over() {
  if (!is_idle()) return;
  over_.notify_all();
  if (on_over_) on_over_();
}

void Engine::carry_out(const scheduler::Finished& effect) {
  const auto& finished = record(effect.task);
  auto& task = *finished;
  task.result = make_result(task, effect);
  task.status = task.result->status;
  task.finish_order = ++finished_count_;
  // A failure tells more than a cancelled member, and both more than a success.
  if (task.group && task.status != Status::succeeded && task.group->outcome != Status::failed) {
    task.group->outcome = task.status;
  }
  task.body = {};
  task.stop.reset();
  if (waiters_ > 0) finished_.notify_all();
  for (auto& callback : task.callbacks) notify(finished, std::move(callback));
  task.callbacks.clear();
  if (options_.hooks.on_complete) {
    notify(finished, [this, result = task.result] { options_.hooks.on_complete(result); });
  }
}

void Engine::carry_out(const scheduler::Halted& /*effect*/) {}

void Engine::note_attempt(TaskRecord& task, Verdict verdict, AttemptOutcome outcome) {
  if (verdict == Verdict::timed_out) {
    outcome.cause = Cause::timeout;
    outcome.message = base::format("task '{}' exceeded {}s timeout", task.name,
                                   format_seconds(*task.set->options->timeout));
    outcome.error = std::make_exception_ptr(AttemptTimeoutError(outcome.message));
  } else if (verdict == Verdict::cancelled) {
    outcome.cause = Cause::none;
    outcome.message = "cancelled";
    outcome.error = nullptr;
  }
  task.attempt_list.push_back({.attempt = task.attempts,
                               .worker = task.worker,
                               .started_at = since_start(task.attempt_started_at),
                               .finished_at = since_start(base::now()),
                               .cause = outcome.cause,
                               .exit_code = outcome.exit_code,
                               .signal = outcome.signal,
                               .message = outcome.message});
  task.last = std::move(outcome);
}

ResultPtr Engine::make_result(TaskRecord& task, const scheduler::Finished& effect) const {
  auto result = std::make_shared<TaskResult>();
  const auto& options = *task.set->options;
  const auto at = base::now();
  result->task_id = task_id(task);
  if (const auto* command = task.body.command()) result->command = command->text();
  result->name = std::move(task.name);
  if (task.group) result->group_id = task.group->group_id;
  result->status = status_of(effect.state);
  result->attempts = task.attempts;
  result->priority = options.priority;
  result->must_complete = options.must_complete || task.is_finally;
  result->detached = options.detached;
  result->metadata = options.metadata;
  result->created_at = since_start(task.created_at);
  result->finished_at = since_start(at);
  if (task.started_at) {
    result->started_at = since_start(*task.started_at);
    result->duration = at - *task.started_at;
  }
  result->output = std::move(task.last.output);
  switch (result->status) {
    case Status::succeeded:
      result->value = std::move(task.last.value);
      break;
    case Status::failed:
      result->exception = std::move(task.last.error);
      result->message = std::move(task.last.message);
      break;
    default:
      result->message = task.broken_need.empty() ? cancel_message(effect) : task.broken_need;
  }
  result->attempt_list = std::move(task.attempt_list);
  task.last = {};
  return result;
}

std::string Engine::cancel_message(const scheduler::Finished& effect) const {
  const auto needed = [&] {
    if (const auto* group = std::get_if<scheduler::GroupIndex>(&*effect.need)) {
      return groups_[static_cast<std::size_t>(*group)]->group_id;
    }
    return name_of(*record(std::get<scheduler::TaskIndex>(*effect.need)));
  };
  switch (effect.reason) {
    case CancelReason::before_execution:
      return "cancelled before execution";
    case CancelReason::need_failed:
      return need_text(needed(), true);
    case CancelReason::need_cancelled:
      return need_text(needed(), false);
    default:
      return "cancelled";
  }
}

const RecordPtr& Engine::record(scheduler::TaskIndex index) const {
  return records_[static_cast<std::size_t>(index)];
}

Duration Engine::since_start(Instant at) const {
  return started_at_ ? std::max(at - *started_at_, Duration{0}) : Duration{0};
}

}  // namespace osiiso::queue
