// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <iosfwd>
#include <string_view>
#include <utility>

#include "osiiso/run_summary.hpp"

#include "report/run_facts.hpp"

namespace osiiso::report {

/// What a finished run can be written as.
enum class Kind { text, json, junit, html, trace };

inline constexpr std::array<std::pair<std::string_view, Kind>, 5> kKinds = {{{"json", Kind::json},
                                                                             {"junit", Kind::junit},
                                                                             {"html", Kind::html},
                                                                             {"trace", Kind::trace},
                                                                             {"text", Kind::text}}};

/// How many failures the text lists.
constexpr std::size_t kMostFailuresShown = 100;

/// Writes the run as `kind`, all from the same two values. Needs memory for one result at a time,
/// besides what it takes to know groups and names apart. Whether `out` took it all is the caller's
/// to ask.
void write_report(std::ostream& out, Kind kind, const RunSummary& summary, const RunFacts& facts);

}  // namespace osiiso::report
