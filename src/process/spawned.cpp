// SPDX-License-Identifier: MIT
#include "process/spawned.hpp"

#include <fcntl.h>
#include <sys/resource.h>

#include <cerrno>
#include <csignal>

#include "process/kernel_signals.hpp"
#include "process/raw_call.hpp"

namespace osiiso::process {
namespace {

/// The number of what a system call failed for, or 0.
OSIISO_IN_CHILD int failure_of(long result) {
  return result < 0 ? static_cast<int>(-result) : 0;
}

OSIISO_IN_CHILD void set_disposition(int signal, std::uintptr_t handler) {
  const KernelAction action{handler, 0, 0, 0};
  // Fails for SIGKILL and SIGSTOP, which need none.
  raw_call(SYS_rt_sigaction, signal, word(&action), 0, sizeof(SignalSet));
}

/// Returns only where it fails, why.
OSIISO_IN_CHILD int execute(const char* path, const char* const* argv, const char* const* envp) {
  return failure_of(raw_call(SYS_execve, word(path), word(argv), word(envp)));
}

// As execvpe(3): a file that is not there lets the next one be tried, one that may not be executed
// too, but is the error to report if none is found; a text without `#!` is for the shell.
OSIISO_IN_CHILD int execute_first(ChildPlan& plan) {
  int error_number = ENOENT;
  for (const char* const* path = plan.paths; *path != nullptr; ++path) {
    int failure = execute(*path, plan.argv + 1, plan.envp);
    if (failure == ENOEXEC) {
      plan.argv[0] = "/bin/sh";
      plan.argv[1] = *path;
      failure = execute(plan.argv[0], plan.argv, plan.envp);
    }
    const bool was_searched = plan.paths[1] != nullptr;
    if (!was_searched) return failure;
    switch (failure) {
      case EACCES:
        error_number = EACCES;
        break;
      case ENOENT:
      case ENOTDIR:
      case ENODEV:
      case ESTALE:
      case ETIMEDOUT:
        break;
      default:
        return failure;
    }
  }
  return error_number;
}

constexpr int kSentToGroups[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};

// Returns only where `step` failed, why.
OSIISO_IN_CHILD int become_program(ChildPlan& plan) {
  plan.step = SpawnStep::reset_signals;
  // All are blocked still. Handlers must be gone before that ends, for they would run here, in the
  // parent's memory; ignored signals would stay ignored across the execve.
  for (SignalSet left = plan.changed_signals; left != 0; left &= left - 1) {
    set_disposition(__builtin_ctzll(left) + 1, reinterpret_cast<std::uintptr_t>(SIG_DFL));
  }

  plan.step = SpawnStep::setsid;
  if (const int failure = failure_of(raw_call(SYS_setsid))) return failure;
  // Until here we were in the parent's group. What a terminal or a `kill -- -group` sent there was
  // not meant for this task; ignoring a signal for a moment drops it where it is pending.
  SignalSet pending = 0;
  raw_call(SYS_rt_sigpending, word(&pending), sizeof pending);
  for (const int signal : kSentToGroups) {
    if ((pending >> (signal - 1) & 1) == 0) continue;
    set_disposition(signal, reinterpret_cast<std::uintptr_t>(SIG_IGN));
    set_disposition(signal, reinterpret_cast<std::uintptr_t>(SIG_DFL));
  }

  plan.step = SpawnStep::dup;
  // A host that closed its standard streams makes us open pipes at 0, 1, 2: out of the way first.
  for (int target = 0; target < 3; ++target) {
    if (plan.descriptors[target] > 2) continue;
    const long moved = raw_call(SYS_fcntl, plan.descriptors[target], F_DUPFD_CLOEXEC, 3);
    if (const int failure = failure_of(moved)) return failure;
    plan.descriptors[target] = static_cast<int>(moved);
  }
  for (int target = 0; target < 3; ++target) {
    const long result = raw_call(SYS_dup3, plan.descriptors[target], target, 0);
    if (const int failure = failure_of(result)) return failure;
  }

  plan.step = SpawnStep::close_range;
  if (const int failure = failure_of(raw_call(SYS_close_range, 3, ~0U, 0))) return failure;

  plan.step = SpawnStep::chdir;
  if (plan.cwd != nullptr) {
    if (const int failure = failure_of(raw_call(SYS_chdir, word(plan.cwd)))) return failure;
  }

  plan.step = SpawnStep::prlimit;
  if (plan.descriptor_limit != kInheritLimit) {
    std::uint64_t limit[2] = {0, 0};  // soft, hard, as the kernel lays them out
    const long asked = raw_call(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, word(limit));
    if (const int failure = failure_of(asked)) return failure;
    limit[0] = plan.descriptor_limit < limit[1] ? plan.descriptor_limit : limit[1];
    const long set = raw_call(SYS_prlimit64, 0, RLIMIT_NOFILE, word(limit), 0);
    if (const int failure = failure_of(set)) return failure;
  }

  plan.step = SpawnStep::execve;
  const SignalSet none = 0;
  raw_call(SYS_rt_sigprocmask, SIG_SETMASK, word(&none), 0, sizeof none);
  const int failure = execute_first(plan);
  if (plan.fallback == nullptr) return failure;
  plan.is_fallback = true;
  return execute(plan.fallback[0], plan.fallback, plan.envp);
}

}  // namespace

OSIISO_IN_CHILD int run_child(void* plan_pointer) {
  auto& plan = *static_cast<ChildPlan*>(plan_pointer);
  plan.error_number = become_program(plan);
  raw_call(SYS_exit_group, 127);
  __builtin_unreachable();
}

}  // namespace osiiso::process
