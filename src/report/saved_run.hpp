// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "osiiso/run_summary.hpp"

#include "report/run_facts.hpp"

namespace osiiso::report {

/// A run as its JSON summary tells of it. Whatever a report shows is in it: from a saved run the
/// reports become byte for byte what they were.
struct SavedRun {
  RunSummary summary;
  RunFacts facts;
};

/// Reads what `write_json` wrote; the values of functions are left out. Throws `Error` that says
/// what is wrong with any other text. Needs memory for the results, not for the JSON's tree.
SavedRun read_saved_run(std::string_view json);

/// Reads one result, as `json_of` wrote it.
ResultPtr read_saved_result(std::string_view json, bool restored);

}  // namespace osiiso::report
