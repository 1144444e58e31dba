// SPDX-License-Identifier: MIT
#pragma once

#include <iosfwd>

#include "osiiso/run_summary.hpp"

#include "report/run_facts.hpp"

namespace osiiso::report {

/// Writes the run as one page that needs nothing else and no network: the counts, a timeline with a
/// row for each worker, and tables to sort and search. It is drawn by `page.js` from data that
/// stands in the page as JSON, so that no text of a task is ever read as HTML.
///
/// What failed tasks printed is in it up to 32 MiB.
void write_html(std::ostream& out, const RunSummary& summary, const RunFacts& facts);

}  // namespace osiiso::report
