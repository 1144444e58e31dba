// SPDX-License-Identifier: MIT
#pragma once

namespace osiiso {

struct OwnProcessOptions {
  /// The death of the process that started this one counts as a SIGTERM: for services that kill a
  /// shell and forget what it runs. Nothing is watched where that process is process 1.
  bool watch_parent = false;
};

/// Makes sure that no process outlives the program, however the program ends:
///
///     int main(int argc, char** argv) {
///       if (const auto code = osiiso::worker_main(argc, argv)) return *code;
///       osiiso::own_process();
///       ...
///     }
///
/// The program goes on in a child of the process that called: `getpid()` is another one afterwards.
/// The process that called becomes its guardian, and seen from outside it still is the program. It
/// passes on to the program whatever signal is sent to it alone, stops when the program stops
/// (Ctrl-Z) and lets it go on, and ends as the program ends, with the same exit code or by the same
/// signal; before that it kills all processes that are still below it. When the guardian is killed,
/// the program kills everything below itself and then itself. Both are subreapers
/// (PR_SET_CHILD_SUBREAPER), so that a process cannot leave by losing its parent; an orphan becomes
/// a child of the program, which nobody but the program reaps.
///
/// Requires: the program has one thread. Called once, and not in a worker process.
///
/// Costs one fork, and a sleeping process and thread. Until the program leaves the guardian's
/// process group (`leave_process_group`), it gets twice what is sent to the whole group (`timeout`,
/// `kill -- -GROUP`): itself, and passed on; and SIGKILL to the group is the end of both, with
/// nobody left to end what is below.
///
/// Dangers: as after any fork, the program has none of the caller's record locks (fcntl), timers
/// and memory locks. Out of reach are processes of another user, and those that the kernel does not
/// let die; what is below when both processes are killed at once; and SIGSTOP to the guardian,
/// which stops nothing but the guardian.
///
/// Throws `SystemError`, which names the call, where the system refuses something; then there is
/// no guardian.
void own_process(OwnProcessOptions options = {});

/// The process that watches over this one, or 0 where there is none: signals that it passes on have
/// it as their sender.
int guardian_pid();

/// Moves the program into a process group of its own, so that SIGKILL to the group that the shell
/// knows (`kill -9 -- -GROUP`, `timeout -s KILL`) kills the guardian only, and the program ends
/// everything. From then on the guardian passes on all signals, those of the terminal too.
///
/// For a program that reads from the terminal no more: an attempt to is an error (EIO), for SIGTTIN
/// is ignored from now on. So is SIGTTOU: what the program prints is shown even where `stty tostop`
/// would hold back a job in the background. Does nothing where there is no guardian.
void leave_process_group();

/// Stops (SIGSTOP) all processes below this one, then this one as Ctrl-Z would, and returns when it
/// was continued; those below that it stopped go on as well. Meanwhile the clock of all queues
/// stands still: no timeout, delay or rate counts the pause, no duration contains it. A `run_at`
/// that was accepted before comes later by as much.
///
/// For a program that takes SIGTSTP with sigwait(3) or a signalfd; not to be called in a signal
/// handler. Does nothing where the process cannot be stopped: its group is orphaned, so that nobody
/// could continue it. Thread-safe.
void suspend();

}  // namespace osiiso
