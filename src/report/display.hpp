// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string_view>

#include "osiiso/run_summary.hpp"

namespace osiiso::report {

/// `RunSummary::display` of a run whose status is this one.
void write_display(std::ostream& out, const RunSummary& summary, std::string_view status,
                   std::size_t most_failures);

}  // namespace osiiso::report
