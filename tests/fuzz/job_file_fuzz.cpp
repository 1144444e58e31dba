// SPDX-License-Identifier: MIT
//
// Job files: any bytes are a plan or diagnostics with a place in the file, and nothing is started.
#include <algorithm>

#include "fuzz/fuzz.hpp"
#include "job/job.hpp"

using namespace osiiso;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::text_of(data, size);
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  const std::vector<job::Source> sources = {{"job.yaml", text, "/jobs"}};
  const job::Reading reading = job::read(sources, {}, {}, job::RunInputs::no);
  fuzz::require(reading.plan.has_value() == reading.diagnostics.empty(),
                "a file is good or has diagnostics");
  for (const job::Diagnostic& diagnostic : reading.diagnostics) {
    fuzz::require(static_cast<std::size_t>(diagnostic.line) <= lines + 1,
                  "a diagnostic has its place in the file");
    fuzz::require(!job::to_string(diagnostic).empty(), "a diagnostic can be shown");
  }
  return 0;
}
