// SPDX-License-Identifier: MIT
#pragma once

#include "osiiso/task_result.hpp"

namespace osiiso::report {

/// How one attempt of the task ended.
inline Status attempt_status(const TaskResult& result, const AttemptResult& attempt) {
  if (attempt.cause != Cause::none) return Status::failed;
  const bool is_last = attempt.attempt == result.attempts;
  return is_last && result.status == Status::succeeded ? Status::succeeded : Status::cancelled;
}

}  // namespace osiiso::report
