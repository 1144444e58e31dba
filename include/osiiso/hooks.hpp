// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>

#include "osiiso/command.hpp"
#include "osiiso/duration.hpp"
#include "osiiso/run_summary.hpp"
#include "osiiso/task_context.hpp"
#include "osiiso/task_result.hpp"

namespace osiiso {

/// Which attempt of which task a hook is about.
struct HookTask {
  std::string task_id;
  std::string name;
  std::string group_id;      ///< empty: in no group
  int attempt = 1;           ///< from 1
  std::uint64_t number = 0;  ///< of the task, as in its result
};

/// A task that a queue has accepted.
struct SubmittedTask {
  std::string task_id = {};
  std::string name = {};
  std::string group_id = {};  ///< empty: in no group
  std::string command = {};   ///< readable text of a command; empty for a function
  int priority = 3;
  bool detached = false;
};

/// An attempt that failed, as the one that will follow it sees it.
struct FailedAttempt : HookTask {
  Duration delay{0};                            ///< the next attempt starts no sooner
  std::shared_ptr<const CommandOutput> output;  ///< of a command, if it ran
};

/// Why a run is ended early.
enum class StopCause : std::uint8_t {
  fail_first,  ///< a task failed, and `FailPolicy::fail_first` holds
  timeout,     ///< of the run
  halt,        ///< `halt()` was called, which says by which signal
  kill,        ///< everything ends at once: `kill()`, a forced shutdown, `reset()`
  error,       ///< a worker's initializer threw
};

struct RunStop {
  StopCause cause = StopCause::halt;
  int signal = 0;  ///< what running commands get; of `halt` only
};

/// Functions that a queue calls as things happen; each may be empty. For one task the order is
/// `on_submit`, `on_start`, `on_spawn`, the attempt, `on_retry`, `on_start`, ..., then the result
/// can be seen and those who wait for it are woken, then its done callbacks, then `on_complete`.
/// They are called outside all locks by whoever caused what they tell, so they may use the queue;
/// but for `on_start`, `on_spawn` and `on_output` no two are called at the same time. What a hook
/// throws is handed to `on_error` and otherwise dropped.
struct Hooks {
  /// A task was accepted; also one that a checkpoint restores, which completes at once.
  std::function<void(const SubmittedTask&)> on_submit = {};
  /// An attempt is about to run.
  std::function<void(const HookTask&)> on_start = {};
  /// The attempt's command runs. Who is slow here holds up the command, and with an `AsyncQueue`
  /// the loop.
  SpawnHook on_spawn = {};
  /// A command printed these bytes, all of them as they come, between its `on_start` and its end:
  /// one call at a time for an attempt, in the order of each stream. Who is slow here holds up the
  /// command, and with an `AsyncQueue` the loop.
  OutputHook on_output = {};
  /// An attempt failed and will be followed by another; called before the delay.
  std::function<void(const FailedAttempt&, const AttemptResult&)> on_retry = {};
  /// A task is final. Every result comes once, cancelled ones too; what a halt cancels before it
  /// started may come after what ended later.
  std::function<void(const ResultPtr&)> on_complete = {};
  /// The run is being ended early: tasks are cancelled from now on. Again where something stronger
  /// follows.
  std::function<void(const RunStop&)> on_stop = {};
  /// Another hook or a done callback threw.
  std::function<void(std::exception_ptr)> on_error = {};
};

}  // namespace osiiso
