// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cli/exit_code.hpp"
#include "job/job.hpp"

namespace osiiso::cli {

/// Reads job files into a plan. Otherwise everything that is wrong with them has been said on
/// standard error, and the exit code is the one to end with.
std::variant<job::Plan, ExitCode> read_jobs(const std::vector<std::string>& paths,
                                            const job::Overrides& overrides,
                                            const job::Selection& selection,
                                            job::RunInputs run_inputs);

}  // namespace osiiso::cli
