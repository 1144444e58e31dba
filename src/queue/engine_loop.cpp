// SPDX-License-Identifier: MIT
// What an event loop asks for, which must not block.
#include <utility>

#include "queue/engine.hpp"

namespace osiiso::queue {

void Engine::on_over(std::function<void()> on_over) {
  const Lock lock(mutex_);
  on_over_ = std::move(on_over);
}

std::optional<RunSummary> Engine::try_finish_run() {
  const Lock lock(mutex_);
  if (!run_is_over()) return {};
  return conclude_run();
}

void Engine::leave_run() {
  const Lock lock(mutex_);
  running_ = false;
}

bool Engine::try_join() {
  const Lock lock(mutex_);
  if (!is_idle()) return false;
  if (!running_) end_halt();
  return true;
}

void Engine::begin_reset() {
  const Turn turn(*this);
  if (running_) throw StateError("a running queue cannot be reset");
  begin_halt(scheduler::Halt::spare_nothing, StopCause::kill);
}

bool Engine::try_finish_reset() {
  const Lock lock(mutex_);
  if (!is_idle()) return false;
  forget_all();
  return true;
}

void Engine::forget_all() {
  collect();
  closed_ = false;
  error_ = nullptr;
}

void Engine::announce(const Attempt& attempt, std::function<void()> then) {
  if (!hears_attempts()) return then();
  const Turn turn(*this);
  notify(attempt.record, [this, task = hook_task(*attempt.record, attempt.context.attempt()),
                          then = std::move(then)] {
    if (options_.hooks.on_start) call_guarded([&] { options_.hooks.on_start(task); });
    then();
  });
}

}  // namespace osiiso::queue
