// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "job/job.hpp"

namespace osiiso::test {

/// Reads one job file named `job.yaml` in the folder `/jobs`; commands of `inputs_from` are run.
job::Reading read_text(std::string text, const job::Overrides& overrides = {},
                       const job::Selection& selection = {});

/// The plan of a file that must be right; otherwise throws its diagnostics.
job::Plan plan_of(std::string text, const job::Overrides& overrides = {},
                  const job::Selection& selection = {});

/// The diagnostics as they are shown, a blank line between them.
std::string diagnostics_of(std::string text, const job::Overrides& overrides = {},
                           const job::Selection& selection = {});
std::string shown(const std::vector<job::Diagnostic>& diagnostics);

/// `LINE:COLUMN TEXT` of each diagnostic, and ` | HINT` where there is one; one a line.
std::string brief(std::string text, const job::Overrides& overrides = {},
                  const job::Selection& selection = {});

const TaskOptions& options_of(const job::Plan& plan, std::size_t task);
const Command& command_of(const job::Plan& plan, std::size_t task);
/// The names of all tasks, in order.
std::vector<std::string> names_of(const job::Plan& plan);

/// How many cases a random test tries: `quick`, or that many times OSIISO_TEST_CASES.
std::size_t cases(std::size_t quick);

}  // namespace osiiso::test
