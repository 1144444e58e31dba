// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <variant>

namespace bench {

/// Where the word behind an option goes: a number from 1, or a text.
using OptionTarget = std::variant<std::size_t*, std::string*>;

/// Reads `--option word` pairs. An unknown option, or one without its word, ends this program.
void read_options(int count, char** arguments,
                  const std::map<std::string_view, OptionTarget>& targets);

}  // namespace bench
