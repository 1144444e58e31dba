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
/// Costs one fork, and a sleeping process and thread. A program whose signals are sent to its whole
/// process group (`timeout`, `kill -- -GROUP`) gets each of them twice: itself, and passed on.
///
/// Dangers: as after any fork, the program has none of the caller's record locks (fcntl), timers
/// and memory locks. Out of reach are processes of another user, and those that the kernel does not
/// let die; what is below when both processes are killed at once (SIGKILL to the whole group); and
/// SIGSTOP to the guardian alone, which stops nothing but the guardian.
///
/// Throws `SystemError`, which names the call, where the system refuses something; then there is
/// no guardian.
void own_process(OwnProcessOptions options = {});

/// The process that watches over this one, or 0 where there is none: signals that it passes on have
/// it as their sender.
int guardian_pid();

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
