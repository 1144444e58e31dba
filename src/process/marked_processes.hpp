// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace osiiso::process {

/// Kills every process that a task's command has started, wherever it went, as long as it kept the
/// task's mark (see `task_mark`) in its environment: for a command whose parent has died and cannot
/// stop it any more. Returns when they are gone, or after a bounded time.
void kill_marked(const std::string& mark);

}  // namespace osiiso::process
