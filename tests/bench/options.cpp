// SPDX-License-Identifier: MIT
#include "bench/options.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

namespace bench {

void read_options(int count, char** arguments,
                  const std::map<std::string_view, OptionTarget>& targets) {
  for (int i = 1; i < count; i += 2) {
    const auto target = targets.find(arguments[i]);
    if (target == targets.end() || i + 1 == count) {
      fmt::print(stderr, "unknown option, or nothing behind it: {}\n", arguments[i]);
      std::exit(2);
    }
    const char* const word = arguments[i + 1];
    if (auto* const text = std::get_if<std::string*>(&target->second)) {
      **text = word;
    } else {
      *std::get<std::size_t*>(target->second) = std::max(1UL, std::strtoul(word, nullptr, 10));
    }
  }
}

}  // namespace bench
