// SPDX-License-Identifier: MIT
#include "report/run_status.hpp"

namespace osiiso::report {

bool is_ok(const RunSummary& summary, const RunFacts& facts) {
  return summary.ok() && !facts.interrupted_by;
}

const char* status_of(const RunSummary& summary, const RunFacts& facts) {
  return summary.ok() && !is_ok(summary, facts) ? "COMPLETED WITH ERRORS" : summary.status();
}

}  // namespace osiiso::report
