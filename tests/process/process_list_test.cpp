// SPDX-License-Identifier: MIT
#include "process/process_list.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include <doctest/doctest.h>

#include "support/process_guard.hpp"

using namespace osiiso::process;

TEST_CASE("a process is listed with its parent, group and session") {
  bool found = false;
  for_each_process([&](const ListedProcess& process) {
    if (process.pid != ::getpid()) return;
    found = true;
    CHECK(process.parent == ::getppid());
    CHECK(process.group == ::getpgid(0));
    CHECK(process.session == ::getsid(0));
  });
  CHECK(found);
}

TEST_CASE("a zombie is no member of its group") {
  const osiiso::test::ProcessGuard guard;
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  const auto members = ProcessSnapshot().group(::getpgid(0));
  CHECK(std::ranges::count(members, child, &ListedProcess::pid) == 0);
  CHECK(std::ranges::count(members, ::getpid(), &ListedProcess::pid) == 1);
  CHECK(find_process(child)->is_zombie);
  ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED);
}
