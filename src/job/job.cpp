// SPDX-License-Identifier: MIT
#include "job/job.hpp"

#include <algorithm>

#include "job/reader.hpp"
#include "job/resolve.hpp"
#include "job/selection.hpp"

namespace osiiso::job {
namespace {

bool has_input_commands(const std::vector<RawFile>& files) {
  return std::ranges::any_of(files, [](const RawFile& file) {
    return std::ranges::any_of(file.groups, [](const RawGroup& group) {
      return group.inputs_from && !group.inputs_from->command.empty();
    });
  });
}

}  // namespace

Reading read(std::span<const Source> sources, const Overrides& overrides,
             const Selection& selection, RunInputs run_inputs) {
  Diagnostics diagnostics(sources);
  std::vector<RawFile> files;
  for (std::uint32_t i = 0; i < sources.size(); ++i) {
    if (auto file = read_file(i, diagnostics)) files.push_back(std::move(*file));
  }
  Reading reading;
  if (run_inputs == RunInputs::yes && has_input_commands(files)) {
    // Nothing may be started for a file with mistakes. Whatever task the globs want could be one
    // that the commands bring.
    Reading checked = read(sources, overrides,
                           {.group_globs = selection.group_globs, .task_globs = {}}, RunInputs::no);
    if (!checked.plan) return checked;
  }
  if (!diagnostics.incomplete()) {
    Plan plan = resolve(files, overrides, run_inputs, diagnostics);
    if (diagnostics.empty()) plan.batch = select(std::move(plan.batch), selection, diagnostics);
    if (diagnostics.empty()) {
      reading.empty = plan.batch.empty();
      reading.plan = std::move(plan);
    }
  }
  reading.diagnostics = diagnostics.finish();
  return reading;
}

}  // namespace osiiso::job
