// SPDX-License-Identifier: MIT
#define FMT_HEADER_ONLY
#include "base/format.hpp"

#include <iterator>

#include <fmt/format.h>

namespace osiiso::base {

void vformat_to(std::string& out, fmt::string_view text, fmt::format_args arguments) {
  fmt::vformat_to(std::back_inserter(out), text, arguments);
}

}  // namespace osiiso::base
