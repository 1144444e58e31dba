// SPDX-License-Identifier: MIT
#include "process/spawn.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <limits>

#include "base/format.hpp"
#include "base/text.hpp"
#include "process/spawn_gate.hpp"

// The child runs in the parent's memory on a stack that no sanitizer knows, and never returns from
// the functions that it is in: instrumentation would corrupt the records of the parent's thread. So
// these functions use no library type either, whose members would be instrumented.
#if defined(__clang__)
#define OSIISO_IN_CHILD __attribute__((disable_sanitizer_instrumentation, noinline))
#else
#define OSIISO_IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined"), noinline))
#endif

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

constexpr std::uint64_t kInherit = std::numeric_limits<std::uint64_t>::max();
std::atomic<std::uint64_t> child_descriptor_limit{kInherit};

// The kernel's own layouts: the C library hides two real-time signals from its users, and its
// sigaction() is intercepted by sanitizers.
constexpr int kSignals = 64;
static_assert(sizeof(SignalSet) * 8 == kSignals);
struct KernelAction {
  std::uintptr_t handler;
  unsigned long flags;
  std::uintptr_t restorer;
  SignalSet mask;
};

// What passes between parent and child: plain data that both see, since they share memory.
struct Shared {
  const char* const* paths;  // ended by a null, like the three below
  const char** argv;         // with one free place in front
  const char* const* envp;
  const char* const* fallback;  // or null
  const char* cwd;              // or null
  int descriptors[3];
  SignalSet changed_signals;
  std::uint64_t descriptor_limit;
  // Written by the child where a step fails; it is reported by the number of the step.
  SpawnStep step;
  int error_number;
  bool is_fallback;
};

OSIISO_IN_CHILD void set_disposition(int signal, std::uintptr_t handler) {
  const KernelAction action{handler, 0, 0, 0};
  // Fails for SIGKILL and SIGSTOP, which need none.
  ::syscall(SYS_rt_sigaction, signal, &action, nullptr, sizeof(SignalSet));
}

// As execvpe(3): a file that is not there lets the next one be tried, one that may not be executed
// too, but is the error to report if none is found; a text without `#!` is for the shell.
OSIISO_IN_CHILD int execute_first(Shared& shared) {
  int error_number = ENOENT;
  for (const char* const* path = shared.paths; *path != nullptr; ++path) {
    ::syscall(SYS_execve, *path, shared.argv + 1, shared.envp);
    if (errno == ENOEXEC) {
      shared.argv[0] = "/bin/sh";
      shared.argv[1] = *path;
      ::syscall(SYS_execve, shared.argv[0], shared.argv, shared.envp);
    }
    const bool was_searched = shared.paths[1] != nullptr;
    if (!was_searched) return errno;
    switch (errno) {
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
        return errno;
    }
  }
  return error_number;
}

constexpr int kSentToGroups[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};

// Returns only where `step` failed, with errno set.
OSIISO_IN_CHILD void become_program(Shared& shared) {
  shared.step = SpawnStep::reset_signals;
  // All are blocked still. Handlers must be gone before that ends, for they would run here, in the
  // parent's memory; ignored signals would stay ignored across the execve.
  for (SignalSet left = shared.changed_signals; left != 0; left &= left - 1) {
    set_disposition(__builtin_ctzll(left) + 1, reinterpret_cast<std::uintptr_t>(SIG_DFL));
  }

  shared.step = SpawnStep::setsid;
  if (::syscall(SYS_setsid) < 0) return;
  // Until here we were in the parent's group. What a terminal or a `kill -- -group` sent there was
  // not meant for this task; ignoring a signal for a moment drops it where it is pending.
  SignalSet pending = 0;
  ::syscall(SYS_rt_sigpending, &pending, sizeof pending);
  for (const int signal : kSentToGroups) {
    if ((pending >> (signal - 1) & 1) == 0) continue;
    set_disposition(signal, reinterpret_cast<std::uintptr_t>(SIG_IGN));
    set_disposition(signal, reinterpret_cast<std::uintptr_t>(SIG_DFL));
  }

  shared.step = SpawnStep::dup;
  // A host that closed its standard streams makes us open pipes at 0, 1, 2: out of the way first.
  for (int target = 0; target < 3; ++target) {
    if (shared.descriptors[target] > 2) continue;
    const long moved = ::syscall(SYS_fcntl, shared.descriptors[target], F_DUPFD_CLOEXEC, 3);
    if (moved < 0) return;
    shared.descriptors[target] = static_cast<int>(moved);
  }
  for (int target = 0; target < 3; ++target) {
    if (::syscall(SYS_dup3, shared.descriptors[target], target, 0) < 0) return;
  }

  shared.step = SpawnStep::close_range;
  if (::syscall(SYS_close_range, 3U, ~0U, 0U) != 0) return;

  shared.step = SpawnStep::chdir;
  if (shared.cwd != nullptr && ::syscall(SYS_chdir, shared.cwd) != 0) return;

  shared.step = SpawnStep::prlimit;
  if (shared.descriptor_limit != kInherit) {
    std::uint64_t limit[2] = {0, 0};  // soft, hard, as the kernel lays them out
    if (::syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, limit) != 0) return;
    limit[0] = shared.descriptor_limit < limit[1] ? shared.descriptor_limit : limit[1];
    if (::syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, limit, nullptr) != 0) return;
  }

  shared.step = SpawnStep::execve;
  const SignalSet none = 0;
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none);
  errno = execute_first(shared);
  if (shared.fallback == nullptr) return;
  shared.is_fallback = true;
  ::syscall(SYS_execve, shared.fallback[0], shared.fallback, shared.envp);
}

OSIISO_IN_CHILD int child_main(void* argument) {
  auto& shared = *static_cast<Shared*>(argument);
  become_program(shared);
  shared.error_number = errno;
  ::syscall(SYS_exit_group, 127);
  __builtin_unreachable();
}

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

std::vector<const char*> null_ended(const std::vector<std::string>& texts) {
  std::vector<const char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(text.c_str());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<const char*> null_ended(const std::vector<const char*>& texts) {
  std::vector<const char*> pointers;
  pointers.reserve(texts.size() + 1);
  pointers.assign(texts.begin(), texts.end());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

SpawnError::SpawnError(const SpawnRequest& request, SpawnStep step, int error_number)
    : SystemError(what_failed(request, step), error_number), step_(step) {}

Child spawn(const SpawnRequest& request, int stdout_fd, int stderr_fd) {
  const std::vector<const char*> paths = null_ended(request.paths);
  std::vector<const char*> argv;
  argv.reserve(request.argv.size() + 2);
  argv.push_back(nullptr);
  argv.insert(argv.end(), request.argv.begin(), request.argv.end());
  argv.push_back(nullptr);
  const std::vector<const char*> envp = null_ended(request.envp);
  const std::vector<const char*> fallback = null_ended(request.fallback);

  Shared shared{
      .paths = paths.data(),
      .argv = argv.data(),
      .envp = envp.data(),
      .fallback = request.fallback.empty() ? nullptr : fallback.data(),
      .cwd = request.cwd.empty() ? nullptr : request.cwd.c_str(),
      .descriptors = {request.stdin_fd, stdout_fd, stderr_fd},
      .changed_signals = request.changed_signals,
      .descriptor_limit = child_descriptor_limit.load(std::memory_order_relaxed),
      .step = SpawnStep::clone,
      .error_number = 0,
      .is_fallback = false,
  };

  // The child needs a few hundred bytes: it calls nothing but the kernel.
  alignas(64) std::array<char, 16UL * 1024> stack;
  int pidfd = -1;
  pid_t pid = -1;
  int clone_error = 0;
  const SpawnPass pass;
  const SpawnUnderWay under_way;
  const base::Instant before = base::now();
  {
    const AllSignalsBlocked blocked;
    pid = OSIISO_CLONE(child_main, stack.data() + stack.size(),
                       CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &shared, &pidfd);
    clone_error = errno;
  }
  if (pid < 0) throw SpawnError(request, SpawnStep::clone, clone_error);

  Child child{pid, base::Descriptor(pidfd), OwnChild(pid, before), shared.is_fallback};
  if (shared.error_number != 0) {
    reap(child);
    throw SpawnError(request, shared.step, shared.error_number);
  }
  return child;
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
  child_descriptor_limit.store(soft_limit.value_or(kInherit), std::memory_order_relaxed);
}

}  // namespace osiiso::process
