// SPDX-License-Identifier: MIT
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "osiiso/async_queue.hpp"
#include "osiiso/own_process.hpp"
#include "osiiso/process_queue.hpp"
#include "osiiso/thread_queue.hpp"

#include "base/clock.hpp"
#include "base/cpus.hpp"
#include "base/format.hpp"
#include "base/text.hpp"
#include "cli/checkpointing.hpp"
#include "cli/ci.hpp"
#include "cli/ci_log.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/event_log.hpp"
#include "cli/jobs.hpp"
#include "cli/leaks.hpp"
#include "cli/log_folder.hpp"
#include "cli/progress.hpp"
#include "cli/report_files.hpp"
#include "cli/result_stream.hpp"
#include "cli/signals.hpp"
#include "cli/task_output.hpp"
#include "job/keys.hpp"
#include "process/task_processes.hpp"
#include "report/report.hpp"

namespace osiiso::cli {
namespace {

using std::chrono::seconds;

// Continuous integration services kill a step some ten seconds after they cancelled it, the most
// impatient after 7.5: ordinary tasks get this long, and the whole shutdown that long.
constexpr Duration kCiGrace = seconds(3);
constexpr Duration kCiPatience = seconds(6);

// A report that nobody reads is given up that long after a signal.
constexpr Duration kReportPatience = seconds(1);

// How long the end of a run waits for who reads the events.
constexpr Duration kEventPatience = seconds(5);

/// Everything that a run leaves to be reported.
struct Ended {
  RunSummary summary;
  report::RunFacts facts;
  ResultList detached_failures;
  ResultList leaking;                 // tasks that left processes behind
  std::vector<LeakedProcess> strays;  // processes that no task can be named for
};

/// Says how much of the job an earlier run had finished.
template <typename Handle>
void say_restored(const std::vector<Handle>& handles, const std::string& checkpoint) {
  const auto restored = std::ranges::count_if(handles, [](const auto& handle) {
    return handle.status() == Status::succeeded;  // nothing has been started yet
  });
  if (restored == 0) return;
  say(base::format("restored {} of {} tasks from {}", restored, handles.size(), checkpoint));
}

template <typename Handle>
void count_detached(const std::vector<Handle>& handles, Ended& ended) {
  auto& counts = ended.facts.detached;
  for (const auto& handle : handles) {
    const auto result = handle.result();
    if (!result->detached || result->restored) continue;
    ++counts.total;
    switch (result->status) {
      case Status::succeeded:
        ++counts.succeeded;
        break;
      case Status::failed:
        ++counts.failed;
        ended.detached_failures.push_back(result);
        break;
      default:
        ++counts.cancelled;
    }
  }
}

template <typename Handle>
void count_leaked(const std::vector<Handle>& handles, Ended& ended) {
  for (const auto& handle : handles) {
    const auto result = handle.result();
    if (!result->output || result->output->leaked.empty()) continue;
    ended.facts.leaked += result->output->leaked.size();
    ended.leaking.push_back(result);
  }
}

/// Now that all tasks are over, what is left is to be there no more.
void stop_strays(Ended& ended, Duration grace) {
  ended.strays = process::stop_strays(ended.facts.interrupted_by ? Duration{0} : grace);
  ended.facts.leaked += ended.strays.size();
}

RunSummary run_to_end(SyncQueue& queue) {
  return queue.run();
}

RunSummary run_to_end(AsyncQueue& queue) {
  return osiiso::run(queue.run());
}

/// Answers SIGUSR1.
void say_running(const std::vector<RunningTask>& tasks, const QueueStats& stats) {
  std::string text;
  for (const auto& task : tasks) {
    text += base::format("osiiso: running: {}", base::escape_controls(task.name));
    if (task.attempt > 1) text += base::format(" (attempt {})", task.attempt);
    text += base::format(", {:.1f}s\n", base::in_seconds(task.running_for));
  }
  text += base::format("osiiso: {} running, {} waiting, {} finished\n", stats.running,
                       stats.outstanding - stats.running, stats.finished);
  say_raw(text);
}

/// What tells of a run while it goes on.
struct View {
  /// Throws `UsageError` where the logs cannot be kept.
  View(const RunCommand& command, const ReportFiles& reports)
      : output(TaskOutput::make(command, is_stdout_taken(command, reports), ci_log)),
        progress(command) {
    if (command.events) events.emplace(*command.events);
    if (command.log_dir.empty()) return;
    try {
      logs.emplace(command.log_dir);
    } catch (const Error& error) {
      throw UsageError(base::format("--log-dir: {}", error.what()));
    }
  }

  static bool is_stdout_taken(const RunCommand& command, const ReportFiles& reports) {
    return reports.use_stdout() || (command.events && command.events->is_stdout());
  }

  void listen(Hooks& hooks) {
    if (events) events->listen(hooks);
    if (logs) logs->listen(hooks);
    output->listen(hooks);
    progress.listen(hooks);
  }

  void follow(const std::vector<AnyTaskHandle>& tasks) {
    if (logs) logs->follow(tasks);
    output->follow(tasks);
  }

  ExitCode finish(const Ended& ended, const std::string& what_happened) {
    auto code = output->finish(what_happened);
    if (logs) code = std::max(code, logs->finish(what_happened));
    return events ? std::max(code, finish_events(ended)) : code;
  }

  ExitCode finish_events(const Ended& ended) {
    for (const auto& stray : ended.strays) events->stream().process_leaked(stray);
    events->stream().end(ended.summary, ended.facts);
    return events->finish(ended.facts.interrupted_by ? kReportPatience : kEventPatience);
  }

  CiLog ci_log;
  std::unique_ptr<TaskOutput> output;
  std::optional<EventLog> events;
  std::optional<LogFolder> logs;
  Progress progress;
};

/// While the queue works on it.
class Telling {
 public:
  template <typename Queue>
  Telling(Progress& progress, const Queue& queue) : progress_(progress) {
    progress_.start(
        {.stats = [&] { return queue.stats(); }, .running = [&] { return queue.running(); }});
  }
  ~Telling() { progress_.stop(); }
  Telling(const Telling&) = delete;
  Telling& operator=(const Telling&) = delete;

 private:
  Progress& progress_;
};

template <typename Queue>
Ended run_on(Queue& queue, job::Plan plan, const RunCommand& command, View& view) {
  SignalWatch::Reactions reactions;
  const bool ci = in_ci();
  reactions.first = [&](int signal) {
    console().hurry();
    queue.halt(signal, ci ? std::optional(kCiGrace) : std::nullopt);
  };
  reactions.again = [&] { queue.kill(); };
  reactions.status = [&] { say_running(queue.running(), queue.stats()); };
  if (ci) reactions.patience = kCiPatience;
  SignalWatch watch(std::move(reactions));

  Ended ended;
  ended.facts.name = std::move(plan.name);
  if (view.events) {
    const auto kind = job::kKindNames[static_cast<std::size_t>(plan.kind)];
    view.events->stream().begin(queue.run_id(), ended.facts.name, kind, plan.batch.tasks().size());
  }
  const auto handles = queue.submit(std::move(plan.batch));
  if (!command.quiet) say_restored(handles, command.checkpoint);
  view.follow({handles.begin(), handles.end()});
  ended.facts.started_at = std::chrono::system_clock::now();
  {
    const Telling telling(view.progress, queue);
    ended.summary = run_to_end(queue);
  }
  ended.facts.interrupted_by = watch.finish();
  count_detached(handles, ended);
  count_leaked(handles, ended);
  return ended;
}

template <typename Queue>
Ended run_on_new(job::Plan plan, const RunCommand& command, View& view) {
  view.listen(plan.queue.hooks);
  Queue queue(plan.queue);
  return run_on(queue, std::move(plan), command, view);
}

Ended run_by_kind(job::Plan plan, const RunCommand& command, View& view) {
  switch (plan.kind) {
    case job::QueueKind::process:
      return run_on_new<ProcessQueue>(std::move(plan), command, view);
    case job::QueueKind::async:
      // It would refuse what does not fit; but all is here at once, there is nobody to hold back.
      plan.queue.size = 0;
      return run_on_new<AsyncQueue>(std::move(plan), command, view);
    default:
      return run_on_new<ThreadQueue>(std::move(plan), command, view);
  }
}

Ended run_plan(job::Plan plan, const RunCommand& command, View& view) {
  block_heard_signals();
  if (!plan.queue.workers) plan.queue.workers = base::usable_cpus();
  const Duration grace = plan.queue.grace;
  Ended ended = run_by_kind(std::move(plan), command, view);
  stop_strays(ended, grace);
  return ended;
}

/// What a failed task printed, in one piece.
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

/// Whether the failed tasks' output is shown at the end: where it was shown before, only in a log
/// that folds it.
bool is_output_repeated(Output output, const CiLog& log) {
  return output == Output::failed || (output == Output::grouped && log.exists());
}

void show_failures(const Ended& ended, Output output, const CiLog& log) {
  const bool with_output = is_output_repeated(output, log);
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

ExitCode exit_code_of(const RunSummary& summary) {
  if (summary.timed_out) return ExitCode::run_timed_out;
  return summary.ok() ? ExitCode::passed : ExitCode::errors;
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

ExitCode report(const Ended& ended, const RunCommand& command, const ReportFiles& reports,
                View& view, Checkpoint* checkpoint) {
  const auto what_happened = base::format("; the run itself ended: {}", ended.summary.status());
  const auto shown = view.finish(ended, what_happened);
  show_failures(ended, command.output, view.ci_log);
  show_leaks(ended);
  view.ci_log.tell(ended.facts.name, ended.summary, all_failures(ended));
  if (const auto signal = ended.facts.interrupted_by) {
    say(base::format("interrupted by {}", base::signal_name(*signal)));
  }
  auto written = std::max(shown, reports.write(
                                     [&](std::ostream& out, report::Kind kind) {
                                       report::write_report(out, kind, ended.summary, ended.facts);
                                     },
                                     what_happened));
  if (checkpoint != nullptr) {
    written = std::max(written, finish_recording(*checkpoint, what_happened));
  }
  return written == ExitCode::passed ? exit_code_of(ended.summary) : written;
}

/// Reports, and then dies of the signal that ended the run, or that came while its report was
/// written. The report is finished first, unless it is stuck or the user insists.
ExitCode report_and_end(const Ended& ended, const RunCommand& command, const ReportFiles& reports,
                        View& view, Checkpoint* checkpoint) {
  std::optional<int> signal = ended.facts.interrupted_by;
  SignalWatch watch({.first = [&](int heard) { signal = signal.value_or(heard); },
                     .again = [&] { die_of(*signal); },
                     .patience = kReportPatience});
  const auto code = report(ended, command, reports, view, checkpoint);
  view.ci_log.end();
  watch.finish();
  if (signal) die_of(*signal);
  return code;
}

/// The file that is emptied for the events is nothing else.
void refuse_events(const EventTarget& events, const RunCommand& command,
                   const ReportFiles& reports) {
  const auto refuse = [&](const char* what) {
    throw UsageError(base::format("--events: {} is {}", events.text(), what));
  };
  if (std::ranges::any_of(command.jobs, [&](const auto& job) { return events.is_file(job); })) {
    refuse("the job file");
  }
  if (!command.checkpoint.empty() && events.is_file(command.checkpoint)) refuse("the checkpoint");
  if (reports.has(events.text())) refuse("that of a report");
}

/// Throws `UsageError` while nothing has been started yet.
ReportFiles reports_of(const RunCommand& command) {
  const bool has_events_on_stdout = command.events && command.events->is_stdout();
  ReportFiles reports(command.reports, command.json,
                      shows_all(command.output) || has_events_on_stdout);
  for (const auto& job : command.jobs) reports.refuse(job, "the job file");
  if (!command.checkpoint.empty()) reports.refuse(command.checkpoint, "the checkpoint");
  if (has_events_on_stdout && reports.use_stdout()) {
    throw UsageError("either a report or the events go to standard output, not both");
  }
  if (command.events) refuse_events(*command.events, command, reports);
  return reports;
}

}  // namespace

ExitCode run(const RunCommand& command) {
  if (command.dry_run) {
    return plan({.jobs = command.jobs,
                 .overrides = command.overrides,
                 .selection = command.selection,
                 .checkpoint = command.checkpoint,
                 .json = command.json});
  }
  const auto reports = reports_of(command);
  auto read = read_jobs(command.jobs, command.overrides, command.selection, job::RunInputs::yes);
  if (const auto* failed = std::get_if<ExitCode>(&read)) return *failed;
  // Until here the terminal may have been read, by a command that lists inputs, too.
  leave_process_group();
  auto& job_plan = std::get<job::Plan>(read);
  View view(command, reports);
  std::optional<Checkpoint> checkpoint;
  std::optional<Ended> ended;
  try {
    if (!command.checkpoint.empty()) {
      checkpoint.emplace(command.checkpoint);
      record_in(*checkpoint, job_plan);
    }
    ended = run_plan(std::move(job_plan), command, view);
  } catch (const CheckpointError& error) {  // before anything was started
    say(error.what());
    return ExitCode::usage;
  }
  return report_and_end(*ended, command, reports, view, checkpoint ? &*checkpoint : nullptr);
}

}  // namespace osiiso::cli
