// SPDX-License-Identifier: MIT
#pragma once

#include "osiiso/run_summary.hpp"

#include "report/run_facts.hpp"

namespace osiiso::report {

/// Whether all went well. An interrupted run is not ok, even where no task was lost: nobody knows
/// what else would have come.
bool is_ok(const RunSummary& summary, const RunFacts& facts);

/// The status as every report and event shows it.
const char* status_of(const RunSummary& summary, const RunFacts& facts);

}  // namespace osiiso::report
