// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string_view>

namespace osiiso::base {

/// The number of a descriptor, and nothing else.
std::optional<int> descriptor_number(std::string_view digits);

/// The descriptor of ours that a path means: /dev/stdout, /dev/fd/N and the like; none: a file.
std::optional<int> descriptor_named(std::string_view path);

}  // namespace osiiso::base
