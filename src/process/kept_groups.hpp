// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "osiiso/duration.hpp"

#include "base/descriptor.hpp"
#include "process/spawn.hpp"

namespace osiiso::process {

/// Takes over a child that has exited and whose group is to live on (`Leak::keep`). The child stays
/// an unreaped zombie, so that the number of the group keeps its meaning. What the group still
/// writes to the pipes is read and dropped, else a full or closed pipe would be its end.
/// May be called from any thread. Takes nothing where it throws.
void keep(Child&& child, base::Descriptor&& stdout_pipe, base::Descriptor&& stderr_pipe);

/// Whether there is anything for `stop_kept`, which blocks.
bool any_kept();

/// Ends all groups that were kept: SIGTERM, the grace, SIGKILL. To be called when the run is over.
/// Returns how many groups there were. May be called from any thread.
std::size_t stop_kept(Duration grace);

}  // namespace osiiso::process
