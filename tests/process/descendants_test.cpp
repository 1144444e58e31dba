// SPDX-License-Identifier: MIT
#include "process/descendants.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include <doctest/doctest.h>

#include "process/running.hpp"
#include "support/process_guard.hpp"

using namespace osiiso;
using namespace osiiso::test;
using namespace std::chrono_literals;

TEST_CASE("descendants are found across groups and sessions, parents first, and killed") {
  const ProcessGuard guard;
  const Signpost signpost;
  Command command = Command::shell("setsid sh -c ': >$SIGNPOST; sleep 1000; :'; :");
  command.with_variable("SIGNPOST", signpost.fifo());
  Running running(command);
  signpost.wait();

  const auto first = process::descendants_of(::getpid());
  REQUIRE(first.size() >= 2);  // the innermost may not have begun
  CHECK(first[0].parent == ::getpid());
  CHECK(first[1].parent == first[0].pid);
  CHECK(first[1].session != first[0].session);
  CHECK(process::descendants_of(first[1].pid).size() <= 1);

  CHECK(process::kill_descendants_of(::getpid(), 10s));
  CHECK(process::descendants_of(::getpid()).empty());
  CHECK(running.end().output.signal == SIGKILL);
  // The orphan came to us; the command's end may not have seen it.
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}
