// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>

#include "osiiso/run_summary.hpp"

namespace osiiso::report {

/// A summary in GitHub's Markdown: the counts, and the failures by name. At most `limit` bytes:
/// where that is too few, first the messages are left out, then names, with a line that counts
/// them.
std::string markdown(const std::string& name, const RunSummary& summary, const ResultList& failures,
                     std::size_t limit);

}  // namespace osiiso::report
