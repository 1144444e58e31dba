// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "cli/exit_code.hpp"
#include "cli/options.hpp"
#include "job/plan.hpp"

namespace osiiso::cli {

/// Runs job files. Does not return when a signal ended the run: the program dies of it.
ExitCode run(const RunCommand& command);

/// Runs one command over inputs; ends as `run` does.
ExitCode map(const MapCommand& command);

/// Reports the errors of job files.
ExitCode check(const CheckCommand& command);

/// Shows what would be run.
ExitCode plan(const PlanCommand& command);
/// `checkpoint`: a path; empty: none.
ExitCode show_plan(const job::Plan& plan, const std::string& checkpoint, bool json);

/// Writes reports of a run that was saved as JSON.
ExitCode report_saved(const ReportCommand& command);

/// Prints what could stand at a place of a command line. The first line says what else could:
/// `files`, `folders` or `words`, which is nothing else. Each further line is a whole word, and
/// behind a tab what it means. Starts no process and says nothing of what is wrong.
ExitCode complete(const CompleteCommand& command);

}  // namespace osiiso::cli
