// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

namespace osiiso::base {

// The one place that names the formatting library.
using fmt::format;
using fmt::format_to;

}  // namespace osiiso::base
