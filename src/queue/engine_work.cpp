// SPDX-License-Identifier: MIT
// What workers ask for and report, what the core decides on it, and who is told.
#include <algorithm>
#include <utility>

#include "base/format.hpp"
#include "queue/engine.hpp"

namespace osiiso::queue {
namespace {

using scheduler::CancelReason;
using scheduler::State;
using scheduler::Verdict;

using namespace std::chrono_literals;

const std::string kNoGroup;

// A worker that takes longer to get ready takes it from its attempt's timeout.
constexpr Duration kMostPreparation = 1min;

// Whose hooks this thread is calling.
thread_local const Engine* calling_hooks_of = nullptr;

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

// The workers

scheduler::Next Engine::next(Turn& /*turn*/) {
  const auto next = core_.next(now_);
  settle();  // now, for whoever finds nothing to start waits inside this turn
  return next;
}

Attempt Engine::start(const scheduler::Start& start, int worker, Turn& /*turn*/) {
  const auto& record = this->record(start.task);
  auto& result = record->result;
  result.status = Status::running;
  result.attempts = start.attempt;
  result.worker = worker;
  // Workers that an earlier run left behind do not wait for the next one to begin.
  if (!started_at_) started_at_ = now_;
  result.last_started_at = since_start(now_);
  if (!result.started_at) result.started_at = result.last_started_at;
  const auto at = static_cast<std::size_t>(worker);
  if (stops_.size() <= at) stops_.resize(at + 1);
  stops_[at] = std::make_shared<base::StopState>();
  if (at_work_.size() <= at) at_work_.resize(at + 1);
  at_work_[at] = record;
  Attempt attempt{
      record, record->body, record->recorder(),
      TaskContext({.run_id = &run_id_,
                   .task_id = result.task_id,
                   .name = &result.name,
                   .group_id = record->group ? &record->group->group_id.str() : &kNoGroup,
                   .attempt = start.attempt,
                   .max_attempts = record->set->rules.retries + 1,
                   .worker = worker,
                   .grace = record->set->grace},
                  stops_[at])};
  attempt.context.with_hooks(&command_hooks_);
  return attempt;
}

bool Engine::make_ready(const Attempt& attempt, const std::function<void()>& prepare) {
  count_timeout_from(attempt, base::saturating_add(base::now(), kMostPreparation));
  try {
    prepare();
  } catch (...) {
    fail(std::current_exception());
    return false;
  }
  count_timeout_from(attempt, base::now());
  return true;
}

void Engine::count_timeout_from(const Attempt& attempt, Instant from) {
  const Turn turn(*this);
  if (!attempt.record->is_final()) {
    core_.count_timeout_from(attempt.record->index, attempt.context.attempt(), from);
  }
}

void Engine::record(const Attempt& attempt, const AttemptOutcome& outcome) {
  if (!attempt.recorder || outcome.cause != Cause::none) return;
  {
    const Lock lock(mutex_);
    if (!is_under_way(attempt)) return;
  }
  call_guarded([&] { attempt.recorder->record_success(outcome.value); });
}

bool Engine::is_under_way(const Attempt& attempt) const {
  const auto& record = *attempt.record;
  return !record.is_final() && core_.state(record.index) == State::running &&
         core_.attempts(record.index) == attempt.context.attempt();
}

void Engine::note_end(const RecordPtr& record, const RecorderPtr& recorder) {
  if (!recorder || record->result.status == Status::succeeded) return;
  notify(record, [recorder, status = record->result.status] { recorder->record_end(status); });
}

void Engine::end(Attempt& attempt, AttemptOutcome outcome, Turn& /*turn*/) {
  const auto recorder = std::move(attempt.recorder);
  auto& record = *attempt.record;
  const auto& retry_on = record.set->options->retry_on;
  const auto verdict =
      core_.finished(record.index, attempt.context.attempt(),
                     {.succeeded = outcome.cause == Cause::none,
                      .retryable = retry_on.matches(outcome.cause, outcome.exit_code)},
                     now_);
  if (!verdict) {
    // Given up while its success was being recorded: the task's own end is to stand.
    if (record.is_final()) note_end(attempt.record, recorder);
    return;
  }
  note_attempt(record, *verdict, std::move(outcome));
}

void Engine::tick(Turn& /*turn*/) {
  core_.due(now_);
}

void Engine::announce(const Attempt& attempt) {
  if (!hears_attempts()) return;
  HookTask task;
  {
    Lock lock(mutex_);
    delivered_.wait(lock, [&] { return attempt.record->undelivered == 0; });
    task = hook_task(*attempt.record, attempt.context.attempt());
  }
  if (options_.hooks.on_start) call_guarded([&] { options_.hooks.on_start(task); });
}

// Hooks

HookTask Engine::hook_task(const TaskRecord& record, int attempt) const {
  return {.task_id = task_id(record),
          .name = record.result.name,
          .group_id = record.group ? record.group->group_id.str() : std::string(),
          .attempt = attempt,
          .number = record.result.number};
}

void Engine::notify(const RecordPtr& record, std::function<void()> call) {
  if (record) ++record->undelivered;
  notices_.push_back({record, std::move(call)});
}

void Engine::notify_submitted(scheduler::TaskIndex index) {
  if (!options_.hooks.on_submit) return;
  const auto& submitted = record(index);
  notify(submitted, [this, record = submitted, command = submitted->body] {
    const auto& options = *record->set->options;
    options_.hooks.on_submit(
        {.task_id = task_id(*record),
         .name = record->result.name,
         .group_id = record->group ? record->group->group_id.str() : std::string(),
         .command = command.command() == nullptr ? std::string() : command.command()->text(),
         .priority = options.priority,
         .detached = options.detached});
  });
}

/// Calls what is in `notices_`, in order. Whoever comes while another thread is at it leaves its
/// own to that one, so a hook may use the queue.
void Engine::deliver(Lock& lock) {
  if (delivering_ || !has_untold()) return;
  delivering_ = true;
  const auto* const outer = std::exchange(calling_hooks_of, this);
  while (has_untold()) {
    if (notices_.empty()) {
      conclude(unconcluded_.front());
      unconcluded_.pop_front();
    }
    const auto notice = std::move(notices_.front());
    notices_.pop_front();
    lock.unlock();
    call_guarded(notice.call);
    lock.lock();
    if (notice.record && --notice.record->undelivered == 0) let_go(notice.record);
    delivered_.notify_all();
  }
  calling_hooks_of = outer;
  delivering_ = false;
  tell_if_over();
}

bool Engine::calls_hooks_here() const {
  return calling_hooks_of == this;
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
  stops_[static_cast<std::size_t>(task.result.worker)]->request(request);
}

void Engine::carry_out(const scheduler::Abandoned& effect) {
  auto& task = *record(effect.task);
  note_attempt(task, effect.verdict, {});
  if (workers_ != nullptr) workers_->replace(task.result.worker);
}

void Engine::carry_out(const scheduler::RetryScheduled& effect) {
  const auto& task = record(effect.task);
  task->result.status = Status::retrying;
  if (!options_.hooks.on_retry) return;
  const FailedAttempt about{hook_task(*task, effect.attempt), effect.delay, task->result.output};
  notify(task, [this, about, failed = task->result.unsuccessful_attempts.back()] {
    options_.hooks.on_retry(about, failed);
  });
}

void Engine::tell_if_over() {
  if (!is_idle()) return;
  over_.notify_all();
  if (on_over_) on_over_();
}

void Engine::carry_out(const scheduler::Finished& effect) {
  if (can_wait(effect)) {
    unconcluded_.push_back(effect);
  } else {
    conclude(effect);
  }
}

/// Where a halt cancels a million tasks that nobody has a handle of, they need not all have records
/// at the same time.
bool Engine::can_wait(const scheduler::Finished& effect) const {
  return !options_.keep_results && effect.reason == CancelReason::before_execution &&
         known_record(effect.task) == nullptr;
}

void Engine::conclude(const scheduler::Finished& effect) {
  const auto& finished = record(effect.task);
  auto& task = *finished;
  complete_result(task, effect);
  const auto status = task.result.status;
  task.finish_order = ++finished_count_;
  // A failure tells more than a cancelled member, and both more than a success.
  if (task.group && status != Status::succeeded && task.group->outcome != Status::failed) {
    task.group->outcome = status;
  }
  task.body = {};
  if (const auto extras = std::move(task.extras)) {
    note_end(finished, extras->recorder);
    for (auto& callback : extras->callbacks) notify(finished, std::move(callback));
  }
  if (waiters_ > 0) finished_.notify_all();
  if (options_.hooks.on_complete) {
    notify(finished, [this, result = result_of(finished)] { options_.hooks.on_complete(result); });
  } else if (!options_.keep_results) {
    notify(finished, [] {});  // after which it is let go of
  }
}

void Engine::carry_out(const scheduler::Halted& effect) {
  if (!options_.hooks.on_stop || !halt_cause_) return;
  RunStop stop{.cause = effect.timed_out ? StopCause::timeout : *halt_cause_};
  if (stop.cause == StopCause::halt) stop.signal = stop_signal_;
  notify(nullptr, [this, stop] { options_.hooks.on_stop(stop); });
}

void Engine::note_attempt(TaskRecord& task, Verdict verdict, AttemptOutcome outcome) {
  at_work_[static_cast<std::size_t>(task.result.worker)] = nullptr;
  if (verdict == Verdict::timed_out) {
    outcome.cause = Cause::timeout;
    outcome.message = base::format("task '{}' exceeded {}s timeout", task.result.name,
                                   format_seconds(*task.set->options->timeout));
    outcome.error = std::make_exception_ptr(AttemptTimeoutError(outcome.message));
  } else if (verdict == Verdict::cancelled) {
    outcome.cause = Cause::none;
    outcome.message = "cancelled";
    outcome.error = nullptr;
  }
  auto& result = task.result;
  if (result.output) add_leaked(outcome, *result.output);
  if (verdict == Verdict::succeeded) {
    result.value = std::move(outcome.value);
  } else {
    result.unsuccessful_attempts.push_back({.attempt = result.attempts,
                                            .worker = result.worker,
                                            .started_at = result.last_started_at,
                                            .finished_at = since_start(now_),
                                            .cause = outcome.cause,
                                            .exit_code = outcome.exit_code,
                                            .signal = outcome.signal,
                                            .message = outcome.message});
    result.value.reset();
  }
  result.exception = std::move(outcome.error);
  result.output = std::move(outcome.output);
  result.message = std::move(outcome.message);
}

/// What the attempts have not filled in.
void Engine::complete_result(TaskRecord& task, const scheduler::Finished& effect) {
  auto& result = task.result;
  const auto& options = *task.set->options;
  if (const auto* command = task.body.command()) result.command = command->text();
  if (task.group) result.group_id = task.group->group_id;
  result.priority = options.priority;
  result.detached = options.detached;
  result.metadata = options.metadata;
  result.created_at = since_start(Instant{result.created_at});
  result.finished_at = since_start(now_);
  if (result.started_at) result.duration = result.finished_at - *result.started_at;
  result.status = status_of(effect.state);
  if (result.status != Status::cancelled) return;
  result.exception = nullptr;
  const bool is_need_broken = result.attempts == 0 && !result.message.empty();
  if (!is_need_broken) result.message = cancel_message(effect);
}

std::string Engine::cancel_message(const scheduler::Finished& effect) {
  const auto needed = [&]() -> const std::string& {
    if (const auto* group = std::get_if<scheduler::GroupIndex>(&*effect.need)) {
      return groups_[static_cast<std::size_t>(*group)]->group_id.str();
    }
    return record(std::get<scheduler::TaskIndex>(*effect.need))->result.name;
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

const RecordPtr& Engine::record(scheduler::TaskIndex index) {
  auto& slot = slots_[static_cast<std::size_t>(index)];
  if (const auto* place = std::get_if<Posted>(&slot)) slot = make_record_of(*place, index);
  return std::get<RecordPtr>(slot);
}

const TaskRecord* Engine::known_record(scheduler::TaskIndex index) const {
  const auto* record = std::get_if<RecordPtr>(&slots_[static_cast<std::size_t>(index)]);
  return record == nullptr ? nullptr : record->get();
}

Duration Engine::since_start(Instant at) const {
  return started_at_ ? std::max(at - *started_at_, Duration{0}) : Duration{0};
}

}  // namespace osiiso::queue
