// SPDX-License-Identifier: MIT
#pragma once

#include "cli/exit_code.hpp"
#include "cli/options.hpp"

namespace osiiso::cli {

/// Runs job files. Does not return when a signal ended the run: the program dies of it.
ExitCode run(const RunCommand& command);

/// Reports the errors of job files.
ExitCode check(const CheckCommand& command);

/// Shows what would be run.
ExitCode plan(const PlanCommand& command);

/// Writes reports of a run that was saved as JSON.
ExitCode report_saved(const ReportCommand& command);

}  // namespace osiiso::cli
