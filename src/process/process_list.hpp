// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <functional>
#include <vector>

namespace osiiso::process {

/// A process as /proc shows it.
struct ListedProcess {
  pid_t pid;
  pid_t parent;
  pid_t group;
  pid_t session;
};

/// Calls `visit` for every process that still runs or could go on; zombies are left out. Shows
/// what is there while it looks: a process that starts meanwhile may be missed. Without /proc
/// there is nothing to see.
void for_each_process(const std::function<void(const ListedProcess&)>& visit);

/// The processes of a group that still run.
std::vector<pid_t> members_of_group(pid_t group);

}  // namespace osiiso::process
