// SPDX-License-Identifier: MIT
#pragma once

#include <any>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "osiiso/command.hpp"
#include "osiiso/duration.hpp"
#include "osiiso/shared_text.hpp"
#include "osiiso/task_id.hpp"
#include "osiiso/task_options.hpp"

namespace osiiso {

/// Where a task stands. The last three are final.
enum class Status : std::uint8_t { pending, running, retrying, succeeded, failed, cancelled };

/// The word that reports use: `pending`, `running`, ...
const char* to_string(Status status);

inline bool is_final(Status status) {
  return status >= Status::succeeded;
}

/// One try of a task, as it went. Times count from the start of the run.
struct AttemptResult {
  int attempt = 1;  ///< from 1
  int worker = 0;   ///< which worker ran it, from 0
  Duration started_at{0};
  Duration finished_at{0};
  Cause cause = Cause::none;     ///< none where it succeeded or was cancelled
  std::optional<int> exit_code;  ///< of a command that exited
  std::optional<int> signal;     ///< of a command that was killed
  std::string message;           ///< empty where it succeeded
};

/// What became of a task. Made once, when the task is final, and never changed after.
/// Times count from the start of the run (tasks submitted before it: from its start, too).
struct TaskResult {
  TaskId task_id;
  std::uint64_t number = 0;  ///< counts the tasks of a queue in order of submission, from 1
  std::string name;
  SharedText group_id;  ///< empty: in no group
  SharedText command;   ///< readable text of a command; empty for a function
  std::any value;       ///< of a succeeded function; of a command, the same pointer as `output`
  std::exception_ptr exception;                 ///< of a failed task: its last error
  std::shared_ptr<const CommandOutput> output;  ///< of a command: its last attempt's, if any ran
  int attempts = 0;                             ///< attempts that were started
  int worker = 0;                               ///< of the last attempt, from 0
  int priority = 3;
  Status status = Status::pending;
  bool must_complete = false;
  bool detached = false;
  bool restored = false;  ///< an earlier run had finished it
  Duration created_at{0};
  std::optional<Duration> started_at;  ///< first attempt; none if there was none
  Duration last_started_at{0};         ///< last attempt
  Duration finished_at{0};
  Duration duration{0};  ///< from `started_at` to `finished_at`; zero if never started
  std::string message;   ///< why it did not succeed, in a few words; empty where it did
  Metadata metadata;
  std::vector<AttemptResult> unsuccessful_attempts;

  /// All attempts, in order.
  std::vector<AttemptResult> attempt_list() const;
};

}  // namespace osiiso
