// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "osiiso/error.hpp"

#include "base/descriptor.hpp"
#include "process/own_child.hpp"

namespace osiiso::process {

class HalfStart;

/// A child that was started. It leads a session and a process group of its own, whose number is
/// its `pid`: as long as the child is not reaped, that number means nobody else.
struct Child {
  pid_t pid = -1;
  base::Descriptor pidfd;
  OwnChild known{};
  bool is_fallback = false;  ///< it executed what stands in for the program
  /// Until `complete`: it may not have executed yet, and shares our memory until then.
  std::shared_ptr<HalfStart> half_start{};
};

/// The bit N-1 stands for signal N.
using SignalSet = std::uint64_t;

/// The signals that this program handles or ignores at the moment.
SignalSet changed_signals();

/// What the child shall be. Everything is laid out before, for after the clone nothing may
/// allocate.
struct SpawnRequest {
  std::string name;                ///< of the program, for errors
  std::vector<std::string> paths;  ///< files to try, in this order; relative ones below `cwd`
  std::vector<const char*> argv;   ///< without the null at the end
  std::vector<const char*> envp;   ///< without the null at the end
  /// The argv, its first word a path, of what is executed where none of `paths` can be. Empty: that
  /// is an error.
  std::vector<const char*> fallback;
  std::string cwd;  ///< empty: stays where the program is
  int stdin_fd = -1;
  /// What may have another disposition than the default, which the child sets back. A handler that
  /// is missing here stays until the child has executed, its mask empty a moment before that; what
  /// is ignored stays so for good.
  SignalSet changed_signals = ~SignalSet{0};
};

/// In the order in which they happen; all but the first in the child.
enum class SpawnStep { clone, reset_signals, setsid, dup, close_range, chdir, prlimit, execve };

/// A child could not be started; `step()` and `code()` say where and why. The text is
/// `cannot run 'foo': No such file or directory`, `cannot enter 'dir': ...`, or names the call.
class SpawnError : public SystemError {
 public:
  SpawnError(const SpawnRequest& request, SpawnStep step, int error_number);
  SpawnStep step() const { return step_; }

 private:
  SpawnStep step_;
};

/// Starts a child: own session, the three descriptors and no other, default dispositions, empty
/// signal mask. Costs the same however large this process is, and any number of threads may
/// spawn at once. Throws `SpawnError`; then there is no child.
///
/// Dangers: the calling thread stands still until the child has executed, so a program on a hung
/// network file system holds it. The child shares our memory until then.
Child spawn(const SpawnRequest& request, int stdout_fd, int stderr_fd);

/// As `spawn`, but does not wait until the child has executed, so that a loop that starts one after
/// the other has its hands free meanwhile. Whether it could be executed shows later, see
/// `complete`, and whatever is done to the child (a signal, for one) waits for that. Until then the
/// child has copies of our descriptors, and the request must live. Stands still as `spawn` does on
/// machines other than x86-64 and AArch64.
Child begin_spawn(const SpawnRequest& request, int stdout_fd, int stderr_fd);

/// Whether `complete` would not wait.
bool has_executed(const Child& child);

/// Ends what `begin_spawn` began: waits until the child has executed. Throws `SpawnError`; then
/// there is no child any more.
void complete(Child& child, const SpawnRequest& request);

/// Waits for the child's end. Somebody else in this program may have done that already.
void reap(Child& child);

/// The soft RLIMIT_NOFILE that children get from now on, for a program that raised its own: many
/// programs loop over, or size tables by, the limit. None: they inherit ours.
void set_child_descriptor_limit(std::optional<std::uint64_t> soft_limit);

}  // namespace osiiso::process
