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

/// posix_spawn on two threads again, but each command in a session of its own, as our tasks are:
/// for that the kernel makes a scheduling group, too (autogroup).
BareLoop session_loop();

}  // namespace bench
