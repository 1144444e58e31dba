// SPDX-License-Identifier: MIT
#include "cli/jobs.hpp"

#include <algorithm>

#include "osiiso/error.hpp"

#include "cli/result_stream.hpp"

namespace osiiso::cli {

std::variant<job::Plan, ExitCode> read_jobs(const std::vector<std::string>& paths,
                                            const job::Overrides& overrides,
                                            const job::Selection& selection,
                                            job::RunInputs run_inputs) {
  if (std::count(paths.begin(), paths.end(), "-") > 1) {
    say("standard input (-) can be read only once");
    return ExitCode::usage;
  }
  std::vector<job::Source> sources;
  bool unreadable = false;
  for (const auto& path : paths) {
    try {
      sources.push_back(job::load(path));
    } catch (const Error& error) {
      say(error.what());
      unreadable = true;
    }
  }
  if (unreadable) return ExitCode::usage;

  auto reading = job::read(sources, overrides, selection, run_inputs);
  std::string text;
  for (const auto& diagnostic : reading.diagnostics) text += to_string(diagnostic) + '\n';
  if (!text.empty()) say_raw(text);
  if (!reading.plan) return ExitCode::usage;
  // Groups without tasks are what is left where the commands of `inputs_from` were not executed.
  if (reading.empty &&
      (run_inputs == job::RunInputs::yes || reading.plan->batch.groups().empty())) {
    say("nothing to run: there is no task");
    return ExitCode::nothing_to_run;
  }
  return std::move(*reading.plan);
}

}  // namespace osiiso::cli
