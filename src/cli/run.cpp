// SPDX-License-Identifier: MIT
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "osiiso/async_queue.hpp"
#include "osiiso/own_process.hpp"

#include "base/cpus.hpp"
#include "base/format.hpp"
#include "cli/checkpointing.hpp"
#include "cli/commands.hpp"
#include "cli/ending.hpp"
#include "cli/jobs.hpp"
#include "cli/queue_kind.hpp"
#include "cli/reactions.hpp"
#include "cli/report_files.hpp"
#include "cli/result_stream.hpp"
#include "cli/signals.hpp"
#include "cli/view.hpp"

namespace osiiso::cli {
namespace {

/// Says how much of the job an earlier run had finished.
template <typename Handle>
void say_finished_before(const std::vector<Handle>& handles, const std::string& checkpoint) {
  const auto restored = std::ranges::count_if(handles, [](const auto& handle) {
    return handle.status() == Status::succeeded;  // nothing has been started yet
  });
  say_restored(static_cast<std::size_t>(restored), handles.size(), checkpoint);
}

void count_detached(const ResultPtr& result, Ended& ended) {
  if (!result->detached || result->restored) return;
  auto& counts = ended.facts.detached;
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

void count_leaked(const ResultPtr& result, Ended& ended) {
  if (!result->output || result->output->leaked.empty()) return;
  ended.facts.leaked += result->output->leaked.size();
  ended.leaking.push_back(result);
}

template <typename Handle>
void count_results(const std::vector<Handle>& handles, Ended& ended) {
  for (const auto& handle : handles) {
    const ResultPtr result = handle.result();
    count_detached(result, ended);
    count_leaked(result, ended);
    ended.cancelled.add(*result);
  }
}

RunSummary run_to_end(SyncQueue& queue) {
  return queue.run();
}

RunSummary run_to_end(AsyncQueue& queue) {
  return osiiso::run(queue.run());
}

template <typename Queue>
Ended run_on(Queue& queue, job::Plan plan, const RunCommand& command, View& view) {
  SignalWatch watch(reactions_of(queue, view.progress));
  Ended ended;
  ended.facts.name = std::move(plan.name);
  begin_events(view, queue.run_id(), ended.facts.name, plan.kind, plan.batch.tasks().size());
  const auto handles = queue.submit(std::move(plan.batch));
  if (!command.quiet) say_finished_before(handles, command.checkpoint);
  view.follow({handles.begin(), handles.end()});
  ended.facts.started_at = std::chrono::system_clock::now();
  {
    const Telling telling(view.progress, queue);
    ended.summary = run_to_end(queue);
  }
  ended.facts.interrupted_by = watch.finish();
  count_results(handles, ended);
  return ended;
}

template <typename Queue>
Ended run_on_new(job::Plan plan, const RunCommand& command, View& view) {
  view.listen(plan.queue.hooks);
  Queue queue(plan.queue);
  return run_on(queue, std::move(plan), command, view);
}

Ended run_plan(job::Plan plan, const RunCommand& command, View& view) {
  block_heard_signals();
  if (!plan.queue.workers) plan.queue.workers = base::usable_cpus();
  // It would refuse what does not fit; but all is here at once, there is nobody to hold back.
  if (plan.kind == job::QueueKind::async) plan.queue.size = 0;
  const Duration grace = plan.queue.grace;
  Ended ended = with_queue_type(plan.kind, [&]<typename Queue>(std::type_identity<Queue>) {
    return run_on_new<Queue>(std::move(plan), command, view);
  });
  stop_strays(ended, grace);
  return ended;
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
  const auto reports = open_reports(command, command.jobs, "the job file");
  auto read = read_jobs(command.jobs, command.overrides, command.selection, job::RunInputs::yes);
  if (const auto* failed = std::get_if<ExitCode>(&read)) return *failed;
  // Until here the terminal may have been read, by a command that lists inputs, too.
  leave_process_group();
  auto& job_plan = std::get<job::Plan>(read);
  View view(command, reports, LogNames::by_task);
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
