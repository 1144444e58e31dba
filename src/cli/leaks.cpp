// SPDX-License-Identifier: MIT
#include "cli/leaks.hpp"

#include <algorithm>
#include <cstddef>

#include "base/format.hpp"
#include "base/text.hpp"
#include "process/task_processes.hpp"

namespace osiiso::cli {
namespace {

constexpr std::size_t kMostShown = 5;
constexpr std::size_t kCommandColumns = 60;

}  // namespace

std::string leak_text(const std::vector<LeakedProcess>& leaked) {
  const std::size_t count = leaked.size();
  std::string text = process::left_behind(count);
  for (std::size_t i = 0; i < std::min(count, kMostShown); ++i) {
    const auto& [pid, command, age] = leaked[i];
    text += base::format("{} {} '{}'", i == 0 ? ":" : ",", pid,
                         base::cut_to_width(base::escape_controls(command), kCommandColumns));
  }
  if (count > kMostShown) text += base::format(", … and {} more", count - kMostShown);
  return text;
}

}  // namespace osiiso::cli
