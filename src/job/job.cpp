// SPDX-License-Identifier: MIT
#include "job/job.hpp"

#include "job/reader.hpp"
#include "job/resolve.hpp"
#include "job/selection.hpp"

namespace osiiso::job {

Reading read(std::span<const Source> sources, const Overrides& overrides,
             const Selection& selection, RunInputs run_inputs) {
  Diagnostics diagnostics(sources);
  std::vector<RawFile> files;
  for (std::uint32_t i = 0; i < sources.size(); ++i) {
    if (auto file = read_file(i, diagnostics)) files.push_back(std::move(*file));
  }
  Reading reading;
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
