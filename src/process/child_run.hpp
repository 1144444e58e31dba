// SPDX-License-Identifier: MIT
#pragma once

#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "osiiso/command.hpp"
#include "osiiso/task_context.hpp"

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "base/stop_state.hpp"
#include "process/capture.hpp"
#include "process/launch.hpp"
#include "process/spawn.hpp"
#include "process/start_patience.hpp"
#include "process/task_processes.hpp"

namespace osiiso::process {

/// How a child's run ended.
struct ChildResult {
  CommandOutput output;
  /// Somebody else in this program took the exit status: neither exit code nor signal are known.
  bool status_lost = false;
  /// A stop was requested before the end.
  bool stopped = false;
  /// There never was a command, for it could not be executed. The rest is empty then.
  std::optional<SpawnError> not_started = {};
};

/// A child process from its start until it is reaped: its pipes, what came out of them, and how it
/// is stopped. Whoever drives it waits for its descriptors and its deadline, with poll() (see
/// `run_to_end`) or in an event loop; itself it waits for nothing but a child that was begun and is
/// to be stopped before it has executed, on a hung network file system perhaps.
///
///     ChildRun run(launch);
///     while (!run.done()) {
///       // wait until one of the descriptors is readable or the deadline has come, then
///       run.on_readable(descriptor);  run.on_deadline(base::now());
///     }
///     use(run.take_result());
///
/// What it goes through, each state left for a later one only:
///   running    the child has not exited, nobody asked it to stop
///   stopping   its processes got their signal; at the deadline they are killed
///   killed     its processes got SIGKILL, the child has not been seen to exit
///   lingering  the child has exited before others of its processes: they have the rest of the
///              grace, or the grace where it was not asked to stop, then SIGKILL
///   done       reaped
///
/// The child is reaped last, after the last signal to its group: until then it is at least a
/// zombie, and the number of its group cannot come to mean other processes.
///
/// Dangers: without `owns_orphans` its processes are those of its group: what left that (setsid, a
/// job-control shell's background jobs) is not stopped with it, and what it leaves behind is killed
/// at its end. A process of another user cannot be signalled, and a child that is one is
/// waited for until it ends. `max_rss` is never below what this program itself needs: the kernel
/// counts the memory that the child shared before it executed. Not thread-safe.
class ChildRun {
 public:
  /// Starts the child, whose `TaskContext` must live longer. Throws `SystemError`, mostly a
  /// `SpawnError`.
  explicit ChildRun(const Launch& launch);
  /// Does not wait until the child has executed; where it cannot, the result says so. Throws what
  /// is known at once.
  explicit ChildRun(std::unique_ptr<const Launch> launch);
  /// Kills and reaps what is not done.
  ~ChildRun();
  /// The same beforehand; several that are given the same instant look for their processes once.
  void abandon(base::Instant now);
  /// For whoever drives thousands: two descriptors less a child, but its streams are to be watched
  /// for their ends, too.
  void close_write_ends();
  ChildRun(const ChildRun&) = delete;
  ChildRun& operator=(const ChildRun&) = delete;

  /// Whether `complete_start` would wait.
  bool is_starting() const { return !has_executed(child_); }
  /// Waits until the child has executed, and lets go of what only that took.
  void complete_start();

  pid_t pid() const { return child_.pid; }

  /// To be watched for readability; -1 (which poll() skips) once there is nothing to wait for.
  int exit_descriptor() const { return phase_ < Phase::lingering ? child_.pidfd.get() : -1; }
  int stdout_descriptor() const { return stdout_.pipe.read_end.get(); }
  int stderr_descriptor() const { return stderr_.pipe.read_end.get(); }

  /// One of the descriptors is readable; others are ignored. Reads a bounded amount, so that no
  /// stream starves the rest.
  void on_readable(int descriptor, base::Instant now);

  /// When `on_deadline` has something to do; none: not before something else happens.
  std::optional<base::Instant> deadline() const;
  /// Does what is due. May be called too early.
  void on_deadline(base::Instant now);

  /// Stops the group, or stops it sooner: a second request can only bring SIGKILL forward.
  void stop(const base::StopRequest& request, base::Instant now);

  bool done() const { return phase_ == Phase::done; }
  /// Once, when done.
  ChildResult take_result();

 private:
  using Spawn = Child(const SpawnRequest& request, int stdout_fd, int stderr_fd);
  ChildRun(const Launch& launch, Spawn& spawn);

  enum class Phase { running, stopping, killed, lingering, done };

  struct Stream {
    OutputStream name;
    base::Pipe pipe;  // mostly the write end too, see the constructor
    Capture capture;
    bool is_dropped = false;  // what comes from now on is not the child's
  };

  void on_exit(base::Instant now);
  std::vector<ListedProcess> left_behind(base::Instant now);
  void stop_leaked(base::Instant now, const std::vector<ListedProcess>& leaked);
  void reach_all(base::Instant now);
  void leave_out_pause(base::Instant now);
  void linger(base::Instant now);
  void begin_to_stop(base::Instant look_at);
  void begin_to_kill(base::Instant now);
  void signal_all(std::vector<ListedProcess> others);
  void keep_processes();
  void finish();
  bool learn_status();
  void tell_signal_as_shell();
  void signal_group(int signal) const;
  bool is_killing() const { return give_up_at_ != base::Instant::max(); }
  bool read_some(Stream& stream);
  void read_or_close(Stream& stream);
  void read_rest(Stream& stream);
  void take(Stream& stream, std::string_view bytes);

  const RoomAtEnd room_;
  const Leak leak_;
  const Duration grace_;
  const std::string run_id_;
  const TaskContext& context_;
  Stream stdout_;
  Stream stderr_;
  Child child_;
  bool stands_for_shell_;
  std::unique_ptr<const Launch> launch_;  // until the start is complete
  std::unique_ptr<TaskProcesses> processes_;
  const UnderWay under_way_;
  Phase phase_ = Phase::running;
  ChildResult result_;

  // From the first signal on.
  int signal_ = SIGTERM;
  bool group_is_asked_ = false;
  Stopper stopper_;
  base::Instant kill_at_ = base::Instant::max();
  // From SIGKILL on: when those who do not even die of it are given up.
  base::Instant give_up_at_ = base::Instant::max();
  // When to look for the processes next.
  base::Instant look_at_ = base::Instant::max();
  Duration look_again_after_{};
};

}  // namespace osiiso::process
