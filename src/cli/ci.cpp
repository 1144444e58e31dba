// SPDX-License-Identifier: MIT
#include "cli/ci.hpp"

#include <cstdlib>
#include <string_view>

namespace osiiso::cli {

bool in_ci() {
  const char* value = std::getenv("CI");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  if (value == nullptr) return false;
  const std::string_view text = value;
  return !text.empty() && text != "0" && text != "false";
}

}  // namespace osiiso::cli
