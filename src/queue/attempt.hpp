// SPDX-License-Identifier: MIT
#pragma once

#include <any>
#include <exception>
#include <memory>
#include <optional>
#include <string>

#include "osiiso/command.hpp"
#include "osiiso/task_body.hpp"
#include "osiiso/task_context.hpp"
#include "osiiso/task_options.hpp"

#include "queue/attempt_runner.hpp"

namespace osiiso::queue {

/// What an attempt left behind when it ended.
struct AttemptOutcome {
  Cause cause = Cause::none;  // none: it succeeded
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string message;  // empty where it succeeded
  std::any value;
  std::exception_ptr error;
  std::shared_ptr<const CommandOutput> output;
};

/// Of a body that returned this, or threw this.
AttemptOutcome succeeded(std::any value);
AttemptOutcome failed(std::exception_ptr error);

/// Adds what an earlier attempt of the task has left behind: the result tells of all.
void add_leaked(AttemptOutcome& outcome, const CommandOutput& earlier);

/// Calls the body; whatever it throws becomes part of the outcome.
AttemptOutcome execute(const TaskBody& body, const TaskContext& context) noexcept;
/// Has the runner do it.
AttemptOutcome execute(AttemptRunner& runner, const TaskBody& body,
                       const TaskContext& context) noexcept;

}  // namespace osiiso::queue
