// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace osiiso::process {

/// The marks (see `task_mark`) in the environment that a process was executed with, the innermost
/// last and `:` between them. None where it has no environment at all, as a zombie, or any process
/// for a moment of its execve(), or does not let us look.
std::optional<std::string> marks_of(pid_t pid);

/// Whether `marks`, as `marks_of` returns them, name this one.
bool have_mark(std::string_view marks, std::string_view mark);

/// Kills every process that a task's command has started, wherever it went, as long as it kept the
/// task's mark in its environment: for a command whose parent has died and cannot stop it any
/// more. Returns when they are gone, or after a bounded time.
void kill_marked(const std::string& mark);

}  // namespace osiiso::process
