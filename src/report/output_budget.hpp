// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "osiiso/command.hpp"

namespace osiiso::report {

/// How much of what failed tasks printed goes into a report, so that a run with thousands of
/// failures gives a file that can still be opened. The first ones get it.
class OutputBudget {
 public:
  explicit OutputBudget(std::size_t bytes) : left_(bytes) {}

  /// Whether this output still fits; then it is counted.
  bool take(const CommandOutput& output) {
    const std::size_t size = output.stdout_text.size() + output.stderr_text.size();
    if (size > left_) return false;
    left_ -= size;
    return true;
  }

 private:
  std::size_t left_;
};

}  // namespace osiiso::report
