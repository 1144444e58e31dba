// SPDX-License-Identifier: MIT
#include "osiiso/own_process.hpp"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "osiiso/duration.hpp"
#include "osiiso/error.hpp"

#include "base/descriptor.hpp"
#include "base/signals.hpp"
#include "process/descendants.hpp"
#include "process/guardian.hpp"
#include "process/spawn_gate.hpp"

namespace osiiso {
namespace {

using namespace std::chrono_literals;

// A process that is not started by then is killed half started, if it is seen.
constexpr Duration kSpawnPatience = 100ms;

// A process that dies closes its files first, and tells its children afterwards, which takes a
// moment.
constexpr Duration kDeathPatience = 1s;
constexpr Duration kBetweenLooks = 50us;

constexpr std::size_t kWatchStack = 128UL * 1024;

int guardian = 0;

[[noreturn]] void refuse(const char* call, int error_number) {
  throw SystemError(std::string("cannot start the guardian process (") + call + ")", error_number);
}

void become_subreaper() {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1UL) != 0) refuse("prctl", errno);
}

base::Descriptor make_signalfd() {
  const auto all = base::all_signals();
  base::Descriptor made(::signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!made) refuse("signalfd", errno);
  return made;
}

/// None where there is nothing to watch: process 1 does not die before us.
base::Descriptor open_parent() {
  const pid_t parent = ::getppid();
  if (parent <= 1) return {};
  base::Descriptor opened(static_cast<int>(::syscall(SYS_pidfd_open, parent, 0)));
  if (!opened && errno != ESRCH) refuse("pidfd_open", errno);
  // One that has died meanwhile is a death all the same, but its number may mean another by now.
  if (::getppid() != parent) ::raise(SIGTERM);
  return opened;
}

/// Stands still for ever, or until SIGKILL.
[[noreturn]] void wait_for_death() {
  for (;;) ::pause();
}

/// Also where there is no memory to list them all, the program is not to stay, stopped.
void kill_all_below(pid_t program) {
  try {
    process::kill_descendants_of(program, process::kUnkillable);
  } catch (const std::bad_alloc&) {
  }
}

/// With its death the guardian continues this process (see `PR_SET_PDEATHSIG` below, and what the
/// kernel does for a process group that becomes an orphan): who stops it before, stops it in vain.
void wait_until_orphaned() {
  const auto begin = std::chrono::steady_clock::now();
  while (::getppid() == guardian && std::chrono::steady_clock::now() - begin < kDeathPatience) {
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

/// Nobody in this process is to see its children die, report that they failed, and be gone before
/// the last of them is: so a copy of this process stops it first. Whatever lock another thread
/// holds stays locked in the copy, which therefore takes none.
[[noreturn]] void die_with_everything() {
  const pid_t program = ::getpid();
  const pid_t copy = ::fork();
  if (copy > 0) wait_for_death();
  if (copy == 0) ::kill(program, SIGSTOP);
  // Where there is no room for another process, at least no more are started.
  std::optional<process::SpawnGateClosed> closed;
  if (copy < 0) closed.emplace(kSpawnPatience);
  kill_all_below(program);
  ::kill(program, SIGKILL);
  std::_Exit(EXIT_FAILURE);
}

void* wait_for_guardian(void* alive) {
  const base::Descriptor end(static_cast<int>(reinterpret_cast<std::intptr_t>(alive)));
  char nothing = 0;
  // Nobody writes: it returns when there is nobody left who could.
  while (::read(end.get(), &nothing, sizeof nothing) < 0 && errno == EINTR) {
  }
  wait_until_orphaned();
  die_with_everything();
}

/// While all signals are blocked, for the thread is to hear none. With a small stack, for a start
/// by std::thread costs a third more.
void watch_guardian(base::Descriptor alive) {
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, kWatchStack);
  ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread{};
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the number is all that the thread needs
  void* const argument = reinterpret_cast<void*>(std::intptr_t{alive.get()});
  const int error = ::pthread_create(&thread, &attributes, wait_for_guardian, argument);
  ::pthread_attr_destroy(&attributes);
  if (error != 0) refuse("pthread_create", error);
  alive.release();
}

}  // namespace

void own_process(OwnProcessOptions options) {
  base::Pipe life = base::make_pipe();
  process::GuardianEnds ends{.signals = make_signalfd(),
                             .alive = std::move(life.write_end),
                             .parent = options.watch_parent ? open_parent() : base::Descriptor()};
  const base::SignalsBlocked blocked;
  // Where the caller ignores it, the guardian would hear of no end.
  const struct sigaction tell_all {};
  struct sigaction action_before {};
  ::sigaction(SIGCHLD, &tell_all, &action_before);
  become_subreaper();
  const pid_t caller = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) refuse("fork", errno);
  if (child > 0) {
    life.read_end.reset();
    process::guard(child, std::move(ends));
  }
  ends = {};
  ::sigaction(SIGCHLD, &action_before, nullptr);
  guardian = caller;
  become_subreaper();
  // Who is stopped when the guardian is killed cannot see it.
  if (::prctl(PR_SET_PDEATHSIG, SIGCONT) != 0) refuse("prctl", errno);
  watch_guardian(std::move(life.read_end));
}

void leave_process_group() {
  if (guardian == 0) return;
  // Seen from the terminal we are in the background now, and would be stopped.
  for (const int signal : {SIGTTIN, SIGTTOU}) std::signal(signal, SIG_IGN);
  if (::setpgid(0, 0) != 0) throw SystemError("cannot leave the process group (setpgid)", errno);
}

int guardian_pid() {
  return guardian;
}

}  // namespace osiiso
