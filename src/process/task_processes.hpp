// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "osiiso/command.hpp"

#include "base/clock.hpp"
#include "process/offspring.hpp"
#include "process/process_list.hpp"

namespace osiiso::process {

// Where this process is a subreaper, what loses its parent below it becomes its child: however a
// process gets out of its task's group and session, it is found among our children (see
// `Offspring`). Without, a task's processes are those of its group.

/// Whether what loses its parent comes to us.
bool owns_orphans();

/// For whoever waits for children: waits now and then for orphans that have ended, lest they pile
/// up while a task runs that leaves many.
class OrphanCare {
 public:
  OrphanCare();
  /// None without `owns_orphans`.
  std::optional<base::Instant> deadline() const { return next_; }
  void on_deadline(base::Instant now);

 private:
  std::optional<base::Instant> next_;
};

/// Everything that one attempt of a command has started. Lives from the start of the command until
/// after its reaping.
class TaskProcesses {
 public:
  /// `mark`: what is in the environment of the processes (see `task_mark`).
  TaskProcesses(pid_t leader, std::string mark);
  ~TaskProcesses();
  TaskProcesses(const TaskProcesses&) = delete;
  TaskProcesses& operator=(const TaskProcesses&) = delete;

  /// Whether any of them has lost its parent and still runs; when the leader has exited that means
  /// any of them. As of `since` or later. Takes a microsecond where nothing unknown is there. Only
  /// with `owns_orphans`.
  bool has_orphans(base::Instant since);

  /// Those that run but for the leader, as of `since` or later. With `owns_orphans` wherever they
  /// are, else the group.
  std::vector<ListedProcess> others(base::Instant since);

  /// Whether another osiiso below this task has started the process and is there to stop it.
  bool is_supervised(const ListedProcess& process) const;

 private:
  TaskTrace trace_;
};

/// Stops processes one by one.
class Stopper {
 public:
  /// Sends the signal to those that have not been asked before, and wakes them.
  void ask(const std::vector<ListedProcess>& processes, int signal);
  static void kill(const std::vector<ListedProcess>& processes);

 private:
  std::set<std::pair<pid_t, std::uint64_t>> asked_;
};

/// SIGTERM, the grace, SIGKILL for what `find` returns, and for what it returns later, until there
/// is nothing, or a bounded time after the SIGKILL.
void stop_all(const std::function<std::vector<ListedProcess>(base::Instant)>& find, Duration grace);

/// For reports: the oldest first, and of very many those alone.
std::vector<LeakedProcess> describe(std::vector<ListedProcess> processes);

/// "left 2 processes behind"
std::string left_behind(std::size_t count);

/// Stops all orphans that are nobody's, with what is below them, and says what they were. To be
/// called at its end by a program that starts nothing but by spawn(), and that is a subreaper; else
/// does nothing. What shares this program's session was there before it.
std::vector<LeakedProcess> stop_strays(Duration grace);

}  // namespace osiiso::process
