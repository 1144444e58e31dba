// SPDX-License-Identifier: MIT
// Who is told of what, outside the lock and in order.
#include <utility>

#include "queue/engine.hpp"

namespace osiiso::queue {
namespace {

// Whose hooks this thread is calling.
thread_local const Engine* calling_hooks_of = nullptr;

// Who halts a run, or drives its loop, has more to do than to tell of a million tasks.
constexpr int kConcludedAtOnce = 256;

}  // namespace

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

/// Calls what is in `notices_`, in order, and then concludes a few of what can wait. Whoever comes
/// while another thread is at it leaves its own to that one, so a hook may use the queue.
void Engine::deliver(Lock& lock) {
  if (delivering_ || !has_untold()) return;
  delivering_ = true;
  const auto* const outer = std::exchange(calling_hooks_of, this);
  for (int concluded = 0; has_untold();) {
    if (notices_.empty()) {
      if (concluded++ == kConcludedAtOnce && can_go_on_later()) break;
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
  if (has_untold()) workers_->alarm(now_);
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

}  // namespace osiiso::queue
