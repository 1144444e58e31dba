// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace osiiso::report {

/// What the reports tell beyond a `RunSummary`.
struct RunFacts {
  struct Counts {
    std::size_t total = 0;
    std::size_t succeeded = 0;
    std::size_t failed = 0;
    std::size_t cancelled = 0;
  };

  std::string name = {};  // of the run
  std::chrono::system_clock::time_point started_at = {};
  std::optional<int> interrupted_by = {};  // the signal that ended the run early
  Counts detached = {};
  std::size_t leaked = 0;  // processes that tasks left behind
};

}  // namespace osiiso::report
