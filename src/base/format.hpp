// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include <fmt/core.h>

namespace osiiso::base {

// The one place that names the formatting library. Of its headers everybody sees the short one; all
// that makes text is compiled once, into format.cpp, so that there is no library of it to load.

/// Appends to `out`.
void vformat_to(std::string& out, fmt::string_view text, fmt::format_args arguments);

template <typename... Arguments>
void format_to(std::string& out, fmt::format_string<Arguments...> text, Arguments&&... arguments) {
  vformat_to(out, text, fmt::make_format_args(arguments...));
}

template <typename... Arguments>
std::string format(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
  std::string out;
  vformat_to(out, text, fmt::make_format_args(arguments...));
  return out;
}

}  // namespace osiiso::base
