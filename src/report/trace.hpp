// SPDX-License-Identifier: MIT
#pragma once

#include <iosfwd>

#include "osiiso/run_summary.hpp"

#include "report/run_facts.hpp"

namespace osiiso::report {

/// Writes the run in the trace event format that Perfetto (ui.perfetto.dev) and chrome://tracing
/// open: a thread for each worker with a slice for each attempt, and one for the run itself, whose
/// end is marked. Times are microseconds since the start of the run.
void write_trace(std::ostream& out, const RunSummary& summary, const RunFacts& facts);

}  // namespace osiiso::report
