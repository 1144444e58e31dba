// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <string_view>

namespace osiiso::cli {

/// Of the environment; empty where it is not set.
inline std::string_view variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): no thread sets any
  return value == nullptr ? std::string_view() : value;
}

}  // namespace osiiso::cli
