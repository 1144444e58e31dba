// SPDX-License-Identifier: MIT
#pragma once

namespace osiiso::base {

/// How many processors this process may use at once, at least 1: what its affinity mask allows,
/// and no more than the CPU quota of its control groups (v2 `cpu.max`) rounded up.
int usable_cpus();

}  // namespace osiiso::base
