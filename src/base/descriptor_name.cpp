// SPDX-License-Identifier: MIT
#include "base/descriptor_name.hpp"

#include <unistd.h>

#include <charconv>

namespace osiiso::base {

std::optional<int> descriptor_number(std::string_view digits) {
  int number = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size() || number < 0) return {};
  return number;
}

std::optional<int> descriptor_named(std::string_view path) {
  if (path == "/dev/stdout") return STDOUT_FILENO;
  if (path == "/dev/stderr") return STDERR_FILENO;
  for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
    if (path.starts_with(folder)) return descriptor_number(path.substr(folder.size()));
  }
  return {};
}

}  // namespace osiiso::base
