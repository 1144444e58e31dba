// SPDX-License-Identifier: MIT
#pragma once

#include <iosfwd>

#include "osiiso/run_summary.hpp"

#include "report/run_facts.hpp"

namespace osiiso::report {

/// Writes the run as one JSON object of schema 1, each result in a line of its own. Needs memory
/// for one result at a time and for the counts of the groups. Whether `out` took it all is the
/// caller's to ask.
///
/// The `value` of a task is null where there is none that JSON could show: of a command, when not
/// all of its standard output was kept; of a function, when it is no text, number, boolean or
/// `nlohmann::json`.
void write_json(std::ostream& out, const RunSummary& summary, const RunFacts& facts);

/// One of the results.
std::string json_of(const TaskResult& result);

}  // namespace osiiso::report
