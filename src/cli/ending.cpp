// SPDX-License-Identifier: MIT
#include "cli/ending.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <ostream>
#include <string>
#include <tuple>

#include "osiiso/error.hpp"

#include "base/format.hpp"
#include "base/text.hpp"
#include "cli/leaks.hpp"
#include "cli/result_stream.hpp"
#include "cli/signals.hpp"
#include "job/keys.hpp"
#include "process/task_processes.hpp"
#include "report/report.hpp"
#include "report/run_status.hpp"

namespace osiiso::cli {
namespace {

// A report that nobody reads is given up that long after a signal.
constexpr Duration kReportPatience = std::chrono::seconds(1);

// How long the end of a run waits for who reads the events.
constexpr Duration kEventPatience = std::chrono::seconds(5);

/// The file that is emptied for the events is nothing else.
void refuse_events(const RunOptions& options, const ReportFiles& reports,
                   const std::vector<std::string>& sources, const std::string& what) {
  const EventTarget& events = *options.events;
  const auto refuse = [&](const std::string& why) {
    throw UsageError(base::format("--events: {} is {}", events.text(), why));
  };
  if (std::ranges::any_of(sources, [&](const auto& path) { return events.is_file(path); })) {
    refuse(what);
  }
  if (!options.checkpoint.empty() && events.is_file(options.checkpoint)) refuse("the checkpoint");
  if (reports.has(events.text())) refuse("that of a report");
}

ExitCode finish_events(EventLog& events, const Ended& ended) {
  for (const auto& stray : ended.strays) events.stream().process_leaked(stray);
  events.stream().end(ended.summary, ended.facts);
  return events.finish(ended.facts.interrupted_by ? kReportPatience : kEventPatience);
}

/// Whether the failed tasks' output is shown at the end: where it was shown before, only in a log
/// that folds it.
bool is_output_due(const Ended& ended, Output output, const CiLog& log) {
  if (output == Output::failed) return !ended.is_output_shown;
  return output == Output::grouped && log.exists();
}

void show_failures(const Ended& ended, Output output, const CiLog& log) {
  const bool with_output = is_output_due(ended, output, log);
  if (with_output) {
    for (const auto& result : ended.summary.results) {
      if (result->status == Status::failed) show_output(*result, log);
    }
  }
  for (const auto& result : ended.detached_failures) {
    if (with_output) show_output(*result, log);
    say(base::format("detached task '{}' failed: {}", result->name, result->message));
  }
}

ResultList all_failures(const Ended& ended) {
  auto failures = ended.summary.errors();
  failures.insert(failures.end(), ended.detached_failures.begin(), ended.detached_failures.end());
  return failures;
}

void show_leaks(const Ended& ended) {
  for (const auto& result : ended.leaking) {
    say(base::format("task '{}' {}", result->name, leak_text(result->output->leaked)));
  }
  if (!ended.strays.empty()) say("a task " + leak_text(ended.strays));
}

void show_cancellations(const Ended& ended) {
  for (const auto& line : ended.cancelled.lines()) say(line);
}

ExitCode exit_code_of(const Ended& ended) {
  if (ended.summary.timed_out) return ExitCode::run_timed_out;
  return report::is_ok(ended.summary, ended.facts) ? ExitCode::passed : ExitCode::errors;
}

/// What the checkpoint lacks is no reason to end the run, but to say so.
ExitCode finish_recording(Checkpoint& checkpoint, const std::string& what_happened) {
  try {
    checkpoint.flush();
  } catch (const CheckpointError&) {  // NOLINT(bugprone-empty-catch): `error` has it, too
  }
  const auto error = checkpoint.error();
  if (!error) return ExitCode::passed;
  say(*error + what_happened);
  return ExitCode::write_failed;
}

ExitCode report(const Ended& ended, const RunOptions& options, const ReportFiles& reports,
                View& view, Checkpoint* checkpoint) {
  const auto what_happened =
      base::format("; the run itself ended: {}", report::status_of(ended.summary, ended.facts));
  auto shown = view.finish(what_happened);
  if (view.events) shown = std::max(shown, finish_events(*view.events, ended));
  show_failures(ended, options.output, view.ci_log);
  show_leaks(ended);
  view.ci_log.tell(ended.summary, ended.facts, all_failures(ended), ended.cancelled);
  if (const auto signal = ended.facts.interrupted_by) {
    say(base::format("interrupted by {}", base::signal_name(*signal)));
  }
  if (!options.quiet) show_cancellations(ended);
  const auto render = [&](std::ostream& out, report::Kind kind) {
    report::write_report(out, kind, ended.summary, ended.facts);
  };
  auto written = std::max(shown, reports.write(render, what_happened));
  if (checkpoint != nullptr) {
    written = std::max(written, finish_recording(*checkpoint, what_happened));
  }
  return written == ExitCode::passed ? exit_code_of(ended) : written;
}

}  // namespace

ReportFiles open_reports(const RunOptions& options, const std::vector<std::string>& sources,
                         const std::string& what) {
  const bool has_events_on_stdout = options.events && options.events->is_stdout();
  ReportFiles reports(options.reports, options.json,
                      shows_all(options.output) || has_events_on_stdout);
  for (const auto& path : sources) reports.refuse(path, what);
  if (!options.checkpoint.empty()) reports.refuse(options.checkpoint, "the checkpoint");
  if (has_events_on_stdout && reports.use_stdout()) {
    throw UsageError("either a report or the events go to standard output, not both");
  }
  if (options.events) refuse_events(options, reports, sources, what);
  return reports;
}

void begin_events(View& view, const std::string& run_id, const std::string& name,
                  job::QueueKind kind, std::optional<std::size_t> total) {
  if (!view.events) return;
  view.events->stream().begin(run_id, name, job::kKindNames[static_cast<std::size_t>(kind)], total);
}

void stop_strays(Ended& ended, Duration grace) {
  ended.strays = process::stop_strays(ended.facts.interrupted_by ? Duration{0} : grace);
  ended.facts.leaked += ended.strays.size();
}

void show_output(const TaskResult& result, const CiLog& log) {
  if (!result.output) return;
  const auto& [out, err] = std::tie(result.output->stdout_text, result.output->stderr_text);
  if (out.empty() && err.empty()) return;
  say(base::format("output of '{}':", result.name));
  std::string text;
  for (const auto& stream : {out, err}) {
    text += stream;
    if (!stream.empty() && stream.back() != '\n') text += '\n';
  }
  say_printed(log.made_safe(text));
}

ExitCode report_and_end(const Ended& ended, const RunOptions& options, const ReportFiles& reports,
                        View& view, Checkpoint* checkpoint) {
  std::optional<int> signal = ended.facts.interrupted_by;
  SignalWatch watch({.first = [&](int heard) { signal = signal.value_or(heard); },
                     .again = [&] { die_of(*signal); },
                     .patience = kReportPatience});
  const auto code = report(ended, options, reports, view, checkpoint);
  view.ci_log.end();
  watch.finish();
  if (signal) die_of(*signal);
  return code;
}

}  // namespace osiiso::cli
