// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace bench {

/// Starts a command once for each of the numbers below `tasks`, with the number as its last word.
/// Nothing can be told of a command that is not done here: no faster program is to be expected.
struct BareLoop {
  const char* name;
  void (*run)(const std::vector<std::string>& command, std::size_t tasks);
};

/// vfork and wait in one thread with two children; posix_spawn, a captured pipe and waitpid on two
/// threads, and on three.
std::vector<BareLoop> bare_loops();

/// What each queue could reach at best: the same with a session for each command, as our tasks have
/// (for that the kernel makes a scheduling group, too), on two threads; in two processes that are
/// told by a socket what to start, and tell when it has ended; and by one thread that starts the
/// next command without waiting until the last one has executed.
std::vector<BareLoop> floor_loops();

}  // namespace bench
