// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "process/process_list.hpp"

namespace osiiso::process {

/// What the processes of a task are known by.
struct TaskTrace {
  pid_t leader;                          ///< whose number is that of the task's session, too
  std::string mark;                      ///< see `task_mark`
  std::vector<ListedProcess> seen = {};  ///< found before; guarded by the lock of `Offspring`
};

/// The children of this process's first thread: the ones that it started, and all orphans.
class ChildList {
 public:
  std::vector<pid_t> read();

 private:
  void open();

  pid_t owner_ = 0;  // this process, unless it is a fork of that one
  base::Descriptor file_;
};

/// The children of this process: those that spawn() started, and, where it is a subreaper, the
/// orphans that came to it. Every orphan is attributed once, when it is first seen: to a task, or
/// to nobody. As long as it is not waited for its number is its own.
///
/// Invariants, whenever the lock is free:
/// 1. Nobody is both a child and an orphan.
/// 2. An orphan's task is one that was added and not yet removed.
///
/// Thread-safe. There is one, which is never destroyed: a worker thread may still end an attempt
/// while the program exits.
class Offspring {
 public:
  static Offspring& instance();

  /// `before`: an instant before it was there.
  void add_child(pid_t pid, base::Instant before);
  void remove_child(pid_t pid);
  /// Whose leader must be a child.
  void add_task(TaskTrace& task);
  void remove_task(const TaskTrace& task);

  struct Orphans {
    std::vector<pid_t> pids;  // sorted
    base::Instant looked_at;
  };
  /// The orphans of a task (of nobody: null) that have not ended, as of `since` or later.
  Orphans orphans_of(const TaskTrace* task, base::Instant since);
  /// Processes of the task, which may be seen as orphans later.
  void note_seen(TaskTrace& task, const std::vector<ListedProcess>& seen);
  /// Waits for what has ended.
  void tend(base::Instant since);

 private:
  struct Child {
    TaskTrace* task = nullptr;  // null: no task's leader
    base::Instant before;
  };
  struct Orphan {
    const TaskTrace* task = nullptr;  // null: nobody's
    bool is_foreign = false;          // shares our session, as no task's process can
    std::uint64_t look = 0;           // the last one that showed it
    base::Instant found_at;
  };

  Offspring() = default;
  void look(base::Instant since);
  void take_in(pid_t pid);
  const TaskTrace* task_of(const ListedProcess& process) const;
  template <typename Is>
  const TaskTrace* find_task(Is is) const;
  void reap_all();
  template <typename May>
  void reap(May may);

  std::mutex mutex_;
  std::unordered_map<pid_t, Child> children_;
  std::unordered_map<pid_t, Orphan> orphans_;
  ChildList list_;
  std::uint64_t looks_ = 0;
  std::optional<base::Instant> looked_at_;
};

/// From now on an orphan that is nobody's is waited for when it has ended: for a program that
/// starts nothing but by spawn().
void claim_strays();
bool claims_strays();

}  // namespace osiiso::process
