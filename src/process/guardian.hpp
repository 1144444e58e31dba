// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include "base/descriptor.hpp"

namespace osiiso::process {

/// What the guardian holds; made before the fork, so that what fails can still be told.
struct GuardianEnds {
  base::Descriptor signals;  ///< a signalfd of all signals
  base::Descriptor alive;    ///< closed by the kernel, whatever the guardian dies of
  base::Descriptor parent;   ///< a pidfd of the guardian's own parent, or none
};

/// The guardian's life: all signals are blocked, there is one thread, `program` is a child. Ends
/// as the program does.
[[noreturn]] void guard(pid_t program, GuardianEnds ends);

}  // namespace osiiso::process
