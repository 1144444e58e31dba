// SPDX-License-Identifier: MIT
#include "cli/commands.hpp"
#include "cli/jobs.hpp"
#include "cli/result_stream.hpp"

namespace osiiso::cli {

ExitCode check(const CheckCommand& command) {
  const auto read = read_jobs(command.jobs, {}, {}, job::RunInputs::no);
  if (const auto* failed = std::get_if<ExitCode>(&read)) return *failed;
  return ExitCode::passed;
}

}  // namespace osiiso::cli
