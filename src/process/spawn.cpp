// SPDX-License-Identifier: MIT
#include "process/spawn.hpp"

#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "process/half_start.hpp"
#include "process/kernel_signals.hpp"
#include "process/raw_call.hpp"
#include "process/spawn_gate.hpp"

// The thread sanitizer takes any clone() for a fork into memory of its own. The C library has the
// function under a second name, which it does not know.
#if defined(__SANITIZE_THREAD__)
#define OSIISO_CLONE __clone
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define OSIISO_CLONE __clone
#endif
#endif
#if defined(OSIISO_CLONE)
extern "C" int __clone(int (*)(void*), void*, int, void*, ...) noexcept;  // NOLINT(bugprone-*)
#else
#define OSIISO_CLONE ::clone
#endif

namespace osiiso::process {
namespace {

std::atomic<std::uint64_t> child_descriptor_limit{kInheritLimit};

// Blocks every signal of this thread, the C library's own two as well.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() { set(~SignalSet{0}, &before_); }
  ~AllSignalsBlocked() { set(before_, nullptr); }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  static void set(SignalSet mask, SignalSet* before) {
    ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, before, sizeof mask);
  }
  SignalSet before_ = 0;
};

const char* call_name(SpawnStep step) {
  switch (step) {
    case SpawnStep::clone:
      return "clone";
    case SpawnStep::reset_signals:
      return "rt_sigaction";
    case SpawnStep::setsid:
      return "setsid";
    case SpawnStep::dup:
      return "dup3";
    case SpawnStep::close_range:
      return "close_range";
    case SpawnStep::chdir:
      return "chdir";
    case SpawnStep::prlimit:
      return "prlimit64";
    case SpawnStep::execve:
      return "execve";
  }
  __builtin_unreachable();
}

std::string what_failed(const SpawnRequest& request, SpawnStep step) {
  const auto quoted = [](const std::string& name) { return base::escape_controls(name); };
  if (step == SpawnStep::chdir) return base::format("cannot enter '{}'", quoted(request.cwd));
  if (step == SpawnStep::execve) return base::format("cannot run '{}'", quoted(request.name));
  return base::format("cannot run '{}': {} failed", quoted(request.name), call_name(step));
}

/// `waits`: until the child has executed. Else its half start tells.
Child clone_child(const SpawnRequest& request, HalfStart& start, bool waits) {
  int pidfd = -1;
  pid_t pid = -1;
  int clone_error = 0;
  const SpawnPass pass;
  // Not before: whoever closes the gate waits for those that are inside.
  int* const until_executed = waits ? nullptr : start.arm();
  const int how = waits ? CLONE_VFORK : CLONE_CHILD_CLEARTID;
  const SpawnUnderWay under_way;
  const base::Instant before = base::now();
  {
    const AllSignalsBlocked blocked;
    pid = OSIISO_CLONE(run_child, start.stack_top(), CLONE_VM | CLONE_PIDFD | SIGCHLD | how,
                       start.plan(), &pidfd, nullptr, until_executed);
    clone_error = errno;
  }
  if (pid < 0) {
    start.disarm();
    throw SpawnError(request, SpawnStep::clone, clone_error);
  }
  return {pid, base::Descriptor(pidfd), OwnChild(pid, before)};
}

/// It has executed, or could not.
void conclude_start(Child& child, const ChildPlan& plan, const SpawnRequest& request) {
  child.is_fallback = plan.is_fallback;
  if (plan.error_number == 0) return;
  reap(child);
  throw SpawnError(request, plan.step, plan.error_number);
}

}  // namespace

SpawnError::SpawnError(const SpawnRequest& request, SpawnStep step, int error_number)
    : SystemError(what_failed(request, step), error_number), step_(step) {}

Child spawn(const SpawnRequest& request, int stdout_fd, int stderr_fd) {
  HalfStart start(request, stdout_fd, stderr_fd, child_descriptor_limit.load());
  Child child = clone_child(request, start, true);
  conclude_start(child, *start.plan(), request);
  return child;
}

Child begin_spawn(const SpawnRequest& request, int stdout_fd, int stderr_fd) {
  if constexpr (!kCallsLeaveErrnoAlone) return spawn(request, stdout_fd, stderr_fd);
  const auto start =
      std::make_shared<HalfStart>(request, stdout_fd, stderr_fd, child_descriptor_limit.load());
  start->own_environment();
  Child child = clone_child(request, *start, false);
  child.half_start = start;
  return child;
}

bool has_executed(const Child& child) {
  return !child.half_start || child.half_start->is_over();
}

void complete(Child& child, const SpawnRequest& request) {
  const auto start = std::exchange(child.half_start, nullptr);
  if (!start) return;
  start->wait();
  conclude_start(child, *start->plan(), request);
}

SignalSet changed_signals() {
  SignalSet changed = 0;
  for (int signal = 1; signal <= kSignals; ++signal) {
    KernelAction action{};
    ::syscall(SYS_rt_sigaction, signal, nullptr, &action, sizeof(SignalSet));
    const bool is_default = action.handler == reinterpret_cast<std::uintptr_t>(SIG_DFL);
    if (!is_default) changed |= SignalSet{1} << (signal - 1);
  }
  return changed;
}

void reap(Child& child) {
  siginfo_t ignored{};
  const auto pidfd = static_cast<id_t>(child.pidfd.get());
  while (::waitid(P_PIDFD, pidfd, &ignored, WEXITED) != 0 && errno == EINTR) {
  }
  child.known.reset();
}

void set_child_descriptor_limit(std::optional<std::uint64_t> soft_limit) {
  child_descriptor_limit.store(soft_limit.value_or(kInheritLimit), std::memory_order_relaxed);
}

}  // namespace osiiso::process
