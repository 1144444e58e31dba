// SPDX-License-Identifier: MIT
#pragma once

#include "osiiso/command.hpp"

#include "process/child_run.hpp"

namespace osiiso::process {

/// What an attempt comes to: the output where the command succeeded, else throws `CommandError`
/// with the text that reports show.
CommandOutput conclude(ChildResult result, const CommandSettings& settings);

}  // namespace osiiso::process
