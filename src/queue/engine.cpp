// SPDX-License-Identifier: MIT
#include "queue/engine.hpp"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "osiiso/error.hpp"

namespace osiiso::queue {
namespace {

/// Of the kernel: std::random_device first asks what the processor can do, which takes longer than
/// all else here where that is virtual.
std::uint64_t random_bits() {
  std::uint64_t bits = 0;
  // So few bytes come at once, without an interruption.
  if (::getrandom(&bits, sizeof bits, 0) != sizeof bits)
    throw SystemError("getrandom failed", errno);
  return bits;
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

/// Tells the processor that this thread only waits.
void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

}  // namespace

Engine::Engine(const QueueOptions& options, int workers)
    : options_(options),
      key_high_(random_bits()),
      key_low_(random_bits()),
      run_id_(TaskId(key_high_, key_low_)),
      core_(rules_of(options, workers)) {
  const auto& hooks = options_.hooks;
  if (hooks.on_spawn) {
    command_hooks_.on_spawn = [this](const TaskContext& attempt, int pid) {
      call_guarded([&] { options_.hooks.on_spawn(attempt, pid); });
    };
  }
  if (hooks.on_output) {
    command_hooks_.on_output = [this](const TaskContext& attempt, OutputStream stream,
                                      std::string_view bytes) {
      call_guarded([&] { options_.hooks.on_output(attempt, stream, bytes); });
    };
  }
}

/// Turns are short, so that it is worth looking a few times before the thread is put to sleep: the
/// more seldom the longer it takes, for each look takes the lock's memory away from who has it.
Engine::Lock Engine::lock_soon() {
  constexpr int kMostPauses = 256;
  constexpr int kPausesInAll = 2000;
  Lock lock(mutex_, std::try_to_lock);
  for (int pauses = 4, left = kPausesInAll; left > 0 && !lock; left -= pauses) {
    pauses = std::min(2 * pauses, kMostPauses);
    for (int i = 0; i < pauses; ++i) pause();
    lock.try_lock();
  }
  if (!lock) lock.lock();
  return lock;
}

void Engine::attach(Workers* workers) {
  const Lock lock(mutex_);
  workers_ = workers;
}

// Handles

bool Engine::cancel(const RecordPtr& record) {
  const Turn turn(*this);
  // The index of a final task may stand for another one by now.
  return !record->is_final() && core_.cancel(record->index, now_);
}

Status Engine::status(const TaskRecord& record) const {
  const Lock lock(mutex_);
  return record.result.status;
}

int Engine::attempts(const TaskRecord& record) const {
  const Lock lock(mutex_);
  return record.result.attempts;
}

std::string Engine::name(const TaskRecord& record) const {
  return record.result.name;  // fixed
}

std::string Engine::run_id() const {
  return run_id_;
}

TaskId Engine::task_id(const TaskRecord& record) const {
  return record.result.task_id;  // fixed
}

ResultPtr Engine::result(const RecordPtr& record) const {
  const Lock lock(mutex_);
  return result_of(record);
}

ResultPtr Engine::wait(const RecordPtr& record, std::optional<Duration> timeout) const {
  Lock lock(mutex_);
  const auto is_done = [&] { return record->is_final(); };
  ++waiters_;
  if (timeout) {
    base::wait_until(finished_, lock, base::saturating_add(base::now(), *timeout), is_done);
  } else {
    finished_.wait(lock, is_done);
  }
  --waiters_;
  return result_of(record);
}

void Engine::on_done(const RecordPtr& record, std::function<void()> callback) {
  {
    const Turn turn(*this);
    if (!record->is_final()) {
      record->make_extras().callbacks.push_back(std::move(callback));
      return;
    }
    if (record->undelivered > 0) {  // those before it have not been called yet
      notify(record, std::move(callback));
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

std::vector<RunningTask> Engine::running() const {
  std::vector<RunningTask> tasks;
  {
    const Lock lock(mutex_);
    const auto now = since_start(base::now());
    for (const auto* const record : at_work_) {
      if (record == nullptr) continue;
      const auto& result = record->result;
      tasks.push_back({.task_id = task_id(*record),
                       .name = result.name,
                       .group_id = record->group ? record->group->group_id.str() : std::string(),
                       .attempt = result.attempts,
                       .running_for = now - result.last_started_at});
    }
  }
  std::stable_sort(tasks.begin(), tasks.end(), [](const auto& left, const auto& right) {
    return left.running_for > right.running_for;
  });
  return tasks;
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
  if (!started_at_) started_at_ = now_;
  if (!timeout) timeout = options_.timeout;
  // A halt that came between the submission and this call stands.
  if (timeout) core_.limit_run(now_, *timeout);
}

bool Engine::is_idle() const {
  return core_.unfinished() == 0 && !has_untold() && !delivering_;
}

bool Engine::run_is_over() const {
  if (!is_idle()) return false;
  return options_.mode == Mode::finite || closed_ || core_.halted() != scheduler::Halt::none;
}

RunSummary Engine::finish_run() {
  Lock lock(mutex_);
  over_.wait(lock, [&] { return run_is_over(); });
  return conclude_run();
}

RunSummary Engine::conclude_run() {
  auto summary = collect();
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  return summary;
}

RunSummary Engine::collect() {
  RunSummary summary = std::exchange(let_go_, {});
  summary.timed_out = core_.timed_out();
  if (started_at_) summary.duration = base::now() - *started_at_;
  summary.results.reserve(accepted_.size());
  for (const auto index : accepted_) {
    const auto released =
        std::get<RecordPtr>(std::exchange(slots_[static_cast<std::size_t>(index)], {}));
    if (released->result.restored) {
      summary.restored.push_back(result_of(released));
    } else if (!released->result.detached) {
      summary.add(result_of(released));
    }
    core_.release(index);
  }
  for (const auto& group : run_groups_) {
    core_.release(*group->index);
    groups_[static_cast<std::size_t>(*group->index)].reset();
    group->index.reset();
  }
  accepted_.clear();
  run_groups_.clear();
  end_halt();
  started_at_.reset();
  running_ = false;
  return summary;
}

/// Of a task whose result nobody waits for any more.
void Engine::let_go(const RecordPtr& record) {
  if (options_.keep_results || !record->is_final() || is_released(record)) return;
  const auto& result = record->result;
  if (!result.restored && !result.detached) let_go_.count(result);
  core_.release(record->index);
  slots_[static_cast<std::size_t>(record->index)] = {};
}

void Engine::end_halt() {
  core_.begin_run(base::now(), {});
  stop_signal_ = SIGTERM;
  stop_grace_.reset();
}

void Engine::begin_halt(scheduler::Halt halt, StopCause cause) {
  // With nothing outstanding it ends nothing early.
  halt_cause_ = core_.unfinished() > 0 ? std::optional(cause) : std::nullopt;
  core_.halt(halt, now_);
  settle();
  halt_cause_ = StopCause::fail_first;
}

void Engine::halt(int signal, std::optional<Duration> grace) {
  const Turn turn(*this);
  stop_signal_ = signal;
  stop_grace_ = grace;
  begin_halt(scheduler::Halt::spare_must_complete, StopCause::halt);
}

void Engine::kill() {
  const Turn turn(*this);
  begin_halt(scheduler::Halt::spare_nothing, StopCause::kill);
}

void Engine::fail(std::exception_ptr error) {
  const Turn turn(*this);
  if (!error_) error_ = std::move(error);
  begin_halt(scheduler::Halt::spare_nothing, StopCause::error);
}

void Engine::close() {
  const Turn turn(*this);
  closed_ = true;
  core_.close(now_);
  finished_.notify_all();
}

void Engine::require_not_closed() const {
  const Lock lock(mutex_);
  if (closed_) throw ClosedError("queue has been shut down");
}

void Engine::wait_until_idle() {
  Lock lock(mutex_);
  over_.wait(lock, [&] { return is_idle(); });
  // Outside a run a halt ends here, having nothing left to halt: it is not to outlive the abort.
  if (!running_) end_halt();
}

void Engine::reset() {
  begin_reset();
  Lock lock(mutex_);
  over_.wait(lock, [&] { return is_idle(); });
  forget_all();
}

}  // namespace osiiso::queue
