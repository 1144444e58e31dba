// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <iosfwd>
#include <optional>
#include <string>

#include "osiiso/run_summary.hpp"

namespace osiiso::report {

/// What the JSON summary tells beyond a `RunSummary`.
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

/// Writes the run as one JSON object of schema 1, each result in a line of its own. Needs memory
/// for one result at a time and for the counts of the groups. Whether `out` took it all is the
/// caller's to ask.
///
/// The `value` of a task is null where there is none that JSON could show: of a command, when not
/// all of its standard output was kept; of a function, when it is no text, number, boolean or
/// `nlohmann::json`.
void write_json(std::ostream& out, const RunSummary& summary, const RunFacts& facts);

}  // namespace osiiso::report
