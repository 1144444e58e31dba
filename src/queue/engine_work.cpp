// SPDX-License-Identifier: MIT
// What workers ask for and report.
#include <utility>

#include "queue/engine.hpp"

namespace osiiso::queue {
namespace {

using scheduler::State;

using namespace std::chrono_literals;

const std::string kNoGroup;

// A worker that takes longer to get ready takes it from its attempt's timeout.
constexpr Duration kMostPreparation = 1min;

}  // namespace

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
  auto& stop = stops_[at];
  if (stop.use_count() == 1) {
    stop->renew();
  } else {
    stop = std::make_shared<base::StopState>();
  }
  if (at_work_.size() <= at) at_work_.resize(at + 1);
  at_work_[at] = record.get();
  Attempt attempt{
      record, record->body, record->recorder(), stop,
      TaskContext({.run_id = &run_id_,
                   .task_id = result.task_id,
                   .name = &result.name,
                   .group_id = record->group ? &record->group->group_id.str() : &kNoGroup,
                   .attempt = start.attempt,
                   .max_attempts = record->set->rules.retries + 1,
                   .worker = worker,
                   .grace = record->set->grace},
                  *stop)};
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

void Engine::end(Attempt& attempt, AttemptOutcome&& outcome, Turn& /*turn*/) {
  const auto recorder = std::move(attempt.recorder);
  attempt.stop.reset();
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

}  // namespace osiiso::queue
