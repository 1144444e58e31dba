// SPDX-License-Identifier: MIT
#pragma once

namespace osiiso::cli {

/// Has a few threads share what the allocator would else set up for each of them: that takes longer
/// than what they allocate for a task, which is little. `workers`: how many will run at the same
/// time.
void set_arenas(int workers);

}  // namespace osiiso::cli
