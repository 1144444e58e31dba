// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <functional>
#include <string>

#include "osiiso/run_summary.hpp"
#include "osiiso/task_context.hpp"
#include "osiiso/task_result.hpp"

namespace osiiso {

/// Which attempt of which task a hook is about.
struct HookTask {
  std::string task_id;
  std::string name;
  std::string group_id;  ///< empty: in no group
  int attempt = 1;       ///< from 1
};

/// Functions that a queue calls as things happen; each may be empty. For one task the order is
/// `on_start`, the attempt, `on_retry`, `on_start`, ..., then the result can be seen and those who
/// wait for it are woken, then its done callbacks, then `on_complete`. They are called outside all
/// locks by whoever caused what they tell, so they may use the queue; but for `on_start` and
/// `on_output` no two are called at the same time. What a hook throws is handed to `on_error` and
/// otherwise dropped.
struct Hooks {
  /// An attempt is about to run.
  std::function<void(const HookTask&)> on_start = {};
  /// A command printed these bytes, all of them as they come, between its `on_start` and its end:
  /// one call at a time for an attempt, in the order of each stream. Who is slow here holds up the
  /// command, and with an `AsyncQueue` the loop.
  OutputHook on_output = {};
  /// An attempt failed and will be followed by another; called before the delay.
  std::function<void(const HookTask&, const AttemptResult&)> on_retry = {};
  /// A task is final. Every result comes once, cancelled ones too.
  std::function<void(const ResultPtr&)> on_complete = {};
  /// Another hook or a done callback threw.
  std::function<void(std::exception_ptr)> on_error = {};
};

}  // namespace osiiso
