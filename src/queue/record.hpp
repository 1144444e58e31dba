// SPDX-License-Identifier: MIT
#pragma once

#include <any>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "osiiso/recorder.hpp"
#include "osiiso/run_summary.hpp"
#include "osiiso/task_body.hpp"
#include "osiiso/task_options.hpp"

#include "base/clock.hpp"
#include "queue/attempt.hpp"
#include "scheduler/types.hpp"

namespace osiiso::queue {

using base::Instant;

/// Options as the user gave them and as the core reads them; shared by all tasks with equal ones.
struct OptionSet {
  std::shared_ptr<const TaskOptions> options;
  Duration grace{0};
  scheduler::TaskRules rules;
};

/// A group, or a mere name that tasks are counted under.
struct GroupRecord {
  SharedText group_id;                              // fixed
  std::optional<scheduler::GroupIndex> index = {};  // none: a mere name, or released
  Status outcome = Status::succeeded;               // of the members that are final
};

/// What few tasks have, while they live.
struct TaskExtras {
  RecorderPtr recorder;                          // null: nothing is kept beyond the run
  std::vector<std::function<void()>> callbacks;  // called when it is final, in this order
};

/// Everything that a queue knows of one task. Handles share it, so it can outlive the queue.
/// Guarded by the engine's mutex, except for what is fixed at submission. Its result is a part of
/// it, for most tasks are kept until somebody has looked at all of them; what only a live task
/// needs is let go of when it is final.
struct TaskRecord {
  int undelivered = 0;  // hooks about it that are still to be called

  // Fixed at submission.
  scheduler::TaskIndex index{};  // once its run is over it may stand for another task
  std::shared_ptr<const OptionSet> set;
  std::shared_ptr<GroupRecord> group;  // null: in no group

  // While it lives.
  TaskBody body;
  std::unique_ptr<TaskExtras> extras;  // null: none

  /// Filled as things become known, and never changed once its status is final. Until then
  /// `created_at` counts from the clock's epoch, and value, exception, output and message are those
  /// of the last attempt that ended; a message before the first attempt is why there will be none.
  TaskResult result;

  // Once it is final.
  std::uint64_t finish_order = 0;  // among all tasks of the queue, from 1

  RecorderPtr recorder() const { return extras ? extras->recorder : nullptr; }
  TaskExtras& make_extras() {
    if (!extras) extras = std::make_unique<TaskExtras>();
    return *extras;
  }
  bool is_final() const { return osiiso::is_final(result.status); }
};

using RecordPtr = std::shared_ptr<TaskRecord>;
using GroupPtr = std::shared_ptr<GroupRecord>;

/// A task that no queue knows of yet, called as its body is where it has no name.
RecordPtr make_record(std::string name, TaskBody body);

/// Throws `OptionError` where the body would be called more often than it can be.
void require_repeatable(const OptionSet& set, const TaskBody& body);

/// Why a task is cancelled whose need ended otherwise than succeeded.
std::string need_text(const std::string& name, bool failed);

/// Null until the task is final. Keeps the record alive.
ResultPtr result_of(const RecordPtr& record);

}  // namespace osiiso::queue
