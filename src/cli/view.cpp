// SPDX-License-Identifier: MIT
#include "cli/view.hpp"

#include <algorithm>

#include "osiiso/error.hpp"

#include "base/format.hpp"

namespace osiiso::cli {
namespace {

bool is_stdout_taken(const RunOptions& options, const ReportFiles& reports) {
  return reports.use_stdout() || (options.events && options.events->is_stdout());
}

}  // namespace

View::View(const RunOptions& options, const ReportFiles& reports, LogNames log_names)
    : output(TaskOutput::make(options, is_stdout_taken(options, reports), ci_log)),
      progress(options) {
  if (options.events) events.emplace(*options.events);
  if (options.log_dir.empty()) return;
  try {
    logs.emplace(options.log_dir, log_names);
  } catch (const Error& error) {
    throw UsageError(base::format("--log-dir: {}", error.what()));
  }
}

void View::listen(Hooks& hooks) {
  if (events) events->listen(hooks);
  if (logs) logs->listen(hooks);
  output->listen(hooks);
  progress.listen(hooks);
}

void View::follow(const std::vector<AnyTaskHandle>& tasks) {
  if (logs) logs->follow(tasks);
}

ExitCode View::finish(const std::string& what_happened) {
  const auto shown = output->finish(what_happened);
  return logs ? std::max(shown, logs->finish(what_happened)) : shown;
}

}  // namespace osiiso::cli
