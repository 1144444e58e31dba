// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "osiiso/checkpoint.hpp"
#include "osiiso/command.hpp"
#include "osiiso/run_summary.hpp"

#include "cli/cancellations.hpp"
#include "cli/exit_code.hpp"
#include "cli/options.hpp"
#include "cli/report_files.hpp"
#include "cli/view.hpp"
#include "job/plan.hpp"
#include "report/result_store.hpp"
#include "report/run_facts.hpp"

namespace osiiso::cli {

/// Everything that a run leaves to be reported.
struct Ended {
  RunSummary summary;
  report::RunFacts facts;
  ResultList detached_failures;
  Cancellations cancelled;
  ResultList leaking;                 // tasks that left processes behind
  std::vector<LeakedProcess> strays;  // processes that no task can be named for
  bool is_output_shown = false;       // that of the failed tasks, unless a log has folded it
  std::shared_ptr<const report::ResultStore> store;  // what the facts refer to; or null
};

/// Where the reports go. Throws `UsageError` where one, or the events, would replace what the run
/// reads: `sources`, which are called `what`.
ReportFiles open_reports(const RunOptions& options, const std::vector<std::string>& sources,
                         const std::string& what);

/// Begins the events, where they are asked for. `total`: of tasks, none where nobody knows yet.
void begin_events(View& view, const std::string& run_id, const std::string& name,
                  job::QueueKind kind, std::optional<std::size_t> total);

/// Now that all tasks are over, what is left is to be there no more.
void stop_strays(Ended& ended, Duration grace);

/// What a failed task printed, in one piece.
void show_output(const TaskResult& result, const CiLog& log);

/// Reports, and then dies of the signal that ended the run, or that came while its report was
/// written. The report is finished first, unless it is stuck or the user insists. `checkpoint`:
/// null where there is none.
ExitCode report_and_end(const Ended& ended, const RunOptions& options, const ReportFiles& reports,
                        View& view, Checkpoint* checkpoint);

}  // namespace osiiso::cli
