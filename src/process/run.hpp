// SPDX-License-Identifier: MIT
#pragma once

#include "base/poll.hpp"
#include "process/child_run.hpp"

namespace osiiso::process {

/// Drives a child to its end on the calling thread, and carries out what is requested meanwhile.
/// Throws `SystemError` where it cannot wait; the caller's `ChildRun` cleans up.
void run_to_end(ChildRun& child, base::StopSource& stops);

}  // namespace osiiso::process
