// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "osiiso/run_summary.hpp"

#include "report/run_facts.hpp"

namespace osiiso::report {

/// A summary in GitHub's Markdown: the counts, the notes, a line each, and the failures by name. At
/// most `limit` bytes: where that is too few, first the messages are left out, then names, with a
/// line that counts them.
std::string markdown(const RunSummary& summary, const RunFacts& facts, const ResultList& failures,
                     const std::vector<std::string>& notes, std::size_t limit);

}  // namespace osiiso::report
