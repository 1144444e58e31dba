// SPDX-License-Identifier: MIT
#pragma once

#include <iosfwd>

#include "osiiso/run_summary.hpp"

#include "report/run_facts.hpp"

namespace osiiso::report {

/// Writes the run as JUnit XML, as Jenkins and GitLab read it: a suite for each group (and one,
/// named as the run, for what is in none), a case for each task. A cancelled or restored task is
/// skipped. Attempts before the last are `flakyFailure` where the task succeeded in the end, else
/// `rerunFailure`; these and `failure` are called `…Error` and `error` unless a command ran to an
/// end that was not wanted. A run that was cut short has an error of its own, in the suite
/// `osiiso`.
///
/// What failed tasks printed is in it up to 16 MiB. Names that occur twice in a suite get a number,
/// for there are readers that would drop the second.
void write_junit(std::ostream& out, const RunSummary& summary, const RunFacts& facts);

}  // namespace osiiso::report
