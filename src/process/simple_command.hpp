// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "process/environment.hpp"

namespace osiiso::process {

/// The words of a command string that is a program with its arguments and nothing else, so that to
/// execute it comes to the same as `/bin/sh -c`, as long as the program can be executed. None where
/// that is not certain: then the shell is to read the string.
///
/// Certain is what every shell agrees on: words of harmless characters, quoted or not, and
/// `"${OSIISO_1}"`, by which the values of inputs are handed over. The first word must be neither a
/// builtin nor a reserved word.
std::optional<std::vector<std::string>> simple_command(std::string_view text,
                                                       const Environment& environment);

/// Whether /bin/sh is a shell of which it is known that it hands on such an environment as it is
/// when it is started in the directory `cwd` (empty: that of the program), and executes the program
/// in its own place.
bool shell_only_executes(const Environment& environment, const std::string& cwd);

}  // namespace osiiso::process
