// SPDX-License-Identifier: MIT
#pragma once

#include "base/stop_state.hpp"
#include "process/child_run.hpp"

namespace osiiso::process {

/// Drives a child to its end on the calling thread, and carries out what `stop` is asked meanwhile.
/// Throws `SystemError` where the means to wait are lacking; the caller's `ChildRun` cleans up.
void run_to_end(ChildRun& child, base::StopState& stop);

}  // namespace osiiso::process
