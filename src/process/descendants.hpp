// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <vector>

#include "osiiso/duration.hpp"

#include "process/process_list.hpp"

namespace osiiso::process {

/// The processes below `ancestor`, parents before their children; zombies are left out, and so is
/// what such a zombie's death gave to a reaper that is not below `ancestor`.
std::vector<ListedProcess> descendants_of(pid_t ancestor);

/// Sends SIGKILL to everything below `ancestor` but to this process, again and again, until nothing
/// is left or so much time has passed, even where our clock is paused. Complete only where
/// `ancestor` is a subreaper: else what lost its parent is no longer below it. Reaps nothing.
/// Returns whether nothing is left. Allocates nothing and takes no lock, as `ProcessSnapshot` says;
/// throws `std::bad_alloc` where the kernel has no page left.
bool kill_descendants_of(pid_t ancestor, Duration patience);

}  // namespace osiiso::process
