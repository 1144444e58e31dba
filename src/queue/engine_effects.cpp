// SPDX-License-Identifier: MIT
// What the core decides, and what becomes of it in records and results.
#include <algorithm>
#include <utility>

#include "base/format.hpp"
#include "queue/engine.hpp"

namespace osiiso::queue {
namespace {

using scheduler::CancelReason;
using scheduler::State;
using scheduler::Verdict;

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
    unconcluded_.push_back({effect, now_});
    if (waiters_ > 0) finished_.notify_all();  // for there may be room now
  } else {
    conclude({effect, now_});
  }
}

/// Where a halt cancels a million tasks that nobody has a handle of, they need not all have records
/// at the same time.
bool Engine::can_wait(const scheduler::Finished& effect) const {
  return !options_.keep_results && effect.reason == CancelReason::before_execution &&
         known_record(effect.task) == nullptr;
}

void Engine::conclude(const Unconcluded& ended) {
  const auto& finished = record(ended.effect.task);
  auto& task = *finished;
  complete_result(task, ended);
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

void Engine::note_attempt(TaskRecord& task, Verdict verdict, AttemptOutcome&& outcome) {
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
void Engine::complete_result(TaskRecord& task, const Unconcluded& ended) {
  auto& result = task.result;
  const auto& options = *task.set->options;
  if (const auto* command = task.body.command()) result.command = command->text();
  if (task.group) result.group_id = task.group->group_id;
  result.priority = options.priority;
  result.detached = options.detached;
  if (options.metadata) result.metadata = options.metadata;
  result.created_at = since_start(Instant{result.created_at});
  result.finished_at = since_start(ended.at);
  if (result.started_at) result.duration = result.finished_at - *result.started_at;
  result.status = status_of(ended.effect.state);
  if (result.status != Status::cancelled) return;
  result.exception = nullptr;
  const bool is_need_broken = result.attempts == 0 && !result.message.empty();
  if (!is_need_broken) result.message = cancel_message(ended.effect);
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
  if (const auto* place = std::get_if<Posted>(&slot)) make_record_of(*place, index);
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
