// SPDX-License-Identifier: MIT
//
// Saved summaries: any text is read or refused; of what was read each report can be written, and
// what is saved of it again tells the same.
#include <sstream>
#include <string>

#include "osiiso/error.hpp"

#include "fuzz/fuzz.hpp"
#include "report/report.hpp"
#include "report/saved_run.hpp"

using namespace osiiso;

namespace {

std::string written(report::Kind kind, const report::SavedRun& run) {
  std::ostringstream out;
  report::write_report(out, kind, run.summary, run.facts);
  return out.str();
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  report::SavedRun run;
  try {
    run = report::read_saved_run(fuzz::text_of(data, size));
  } catch (const Error&) {  // refused
    return 0;
  }
  const auto again = report::read_saved_run(written(report::Kind::json, run));
  for (const auto& [name, kind] : report::kKinds) {
    fuzz::require(written(kind, again) == written(kind, run), "a report is the same again");
  }
  return 0;
}
