// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <forward_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "osiiso/recorder.hpp"
#include "osiiso/task_body.hpp"
#include "osiiso/task_options.hpp"

namespace osiiso {

/// Tasks that a queue accepts as a whole, in the order in which they were added, with the groups
/// that they are in and what they need of each other.
///
///     osiiso::Batch batch;
///     const auto site = batch.add_group({.group_id = "site", .workers = 2});
///     const auto build = batch.add({.name = "build"}, Command::shell("make site"), site);
///     const auto check = batch.add({.name = "check"}, Command::shell("./linkcheck out"), site);
///     batch.need(check, build);
///     batch.add_finally({}, Command::shell("rm -rf scratch"), site);
///     queue.submit(std::move(batch));
///
/// Can be moved, not copied. Not thread-safe.
class Batch {
 public:
  /// Positions in this batch, in order of addition from 0.
  enum class Task : std::uint32_t {};
  enum class Group : std::uint32_t {};
  struct Need {
    bool is_group = false;
    std::uint32_t index = 0;  ///< of a Task or of a Group
  };

  struct GroupOptions {
    std::string group_id = {};  ///< empty: the queue makes one up
    int workers = 0;  ///< most attempts of the group at the same time, 0: as many as there are
  };

  using SharedOptions = std::shared_ptr<const TaskOptions>;

  /// What few tasks have.
  struct TaskDetails {
    std::vector<Need> needs = {};
    RecorderPtr recorder = {};
  };
  /// What tasks that are added one after the other mostly have in common.
  struct TaskTraits {
    SharedOptions options;
    std::optional<Group> group;
    bool finally = false;  ///< waits for the others of its group, without one for all others
    bool operator==(const TaskTraits& other) const = default;
  };
  struct TaskEntry {
    const TaskTraits* traits;  ///< the batch's
    TaskBody body;
    std::unique_ptr<const std::string> own_name = {};  ///< null: derived from the body
    std::unique_ptr<TaskDetails> details = {};         ///< null: none

    const SharedOptions& options() const { return traits->options; }
    std::optional<Group> group() const { return traits->group; }
    bool finally() const { return traits->finally; }
    /// Empty: derived from the body.
    const std::string& name() const;
    /// In addition to those of the group.
    const std::vector<Need>& needs() const;
    /// Null: nothing is kept of it beyond the run.
    RecorderPtr recorder() const { return details ? details->recorder : nullptr; }
    TaskDetails& make_details();
  };
  struct GroupEntry {
    GroupOptions options;
    std::vector<Need> needs;  ///< of every task of the group that is not a finally task
  };
  /// To be kept together: the tasks point into the traits.
  struct Contents {
    std::forward_list<TaskTraits> traits = {};  ///< newest first
    std::vector<TaskEntry> tasks = {};
    std::vector<GroupEntry> groups = {};
  };

  Batch() = default;
  Batch(Batch&&) = default;
  Batch& operator=(Batch&&) = default;

  Group add_group(GroupOptions options);

  /// The options' `name` and `group_id` are overridden by `group` and by a non-empty `name`.
  /// Throws `OptionError` where the options break a rule.
  Task add(TaskOptions options, TaskBody body, std::optional<Group> group = {});
  /// The same for many tasks with equal options: `options` must be valid and is shared.
  Task add(std::string name, SharedOptions options, TaskBody body, std::optional<Group> group = {});

  /// A task that runs after all others of the group (without one: of the run), however they went.
  /// It is `must_complete`, and only a forced shutdown keeps it from running.
  Task add_finally(std::string name, SharedOptions options, TaskBody body,
                   std::optional<Group> group = {});

  /// `task`, or every task of `group`, starts only when the need has succeeded; when that becomes
  /// impossible it is cancelled. Needs may point forward. Throws `OptionError` for a position that
  /// is not of this batch, as do the functions above.
  void need(Task task, Task needed);
  void need(Task task, Group needed);
  void need(Group group, Task needed);
  void need(Group group, Group needed);

  /// What becomes of the task is kept by `recorder`, and where that knows of a success the task
  /// need not run. Throws `OptionError` for a finally task, which always runs.
  void record(Task task, RecorderPtr recorder);

  const std::vector<TaskEntry>& tasks() const { return tasks_; }
  const std::vector<GroupEntry>& groups() const { return groups_; }
  bool empty() const { return tasks_.empty(); }

  /// A cycle among the needs, as the names along it with the first repeated at the end; empty
  /// where there is none. A queue refuses a batch that has one.
  std::vector<std::string> find_cycle() const;

  /// Takes the contents out, for the queue that accepts them.
  Contents release() {
    return {std::exchange(traits_, {}), std::exchange(tasks_, {}), std::exchange(groups_, {})};
  }

 private:
  Task add(std::string name, TaskTraits traits, TaskBody body);

  std::forward_list<TaskTraits> traits_;  // newest first; never moves one
  std::vector<TaskEntry> tasks_;
  std::vector<GroupEntry> groups_;
};

}  // namespace osiiso
