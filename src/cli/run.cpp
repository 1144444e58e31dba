// SPDX-License-Identifier: MIT
#include <chrono>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

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
#include "cli/tally.hpp"
#include "cli/view.hpp"

namespace osiiso::cli {
namespace {

RunSummary run_to_end(SyncQueue& queue) {
  return queue.run();
}

RunSummary run_to_end(AsyncQueue& queue) {
  return osiiso::run(queue.run());
}

/// With handles only where somebody follows the tasks: a million of them take much memory.
template <typename Queue>
void hand_in(Queue& queue, Batch batch, View& view) {
  if (!view.follows_tasks()) return queue.post(std::move(batch));
  const auto handles = queue.submit(std::move(batch));
  view.follow({handles.begin(), handles.end()});
}

template <typename Queue>
Ended run_on(Queue& queue, job::Plan plan, const RunCommand& command, View& view, Tally& tally) {
  SignalWatch watch(reactions_of(queue, view.progress));
  Ended ended;
  ended.facts.name = std::move(plan.name);
  const auto total = plan.batch.tasks().size();
  begin_events(view, queue.run_id(), ended.facts.name, plan.kind, total);
  hand_in(queue, std::move(plan.batch), view);
  if (!command.quiet) say_restored(tally.restored(), total, command.checkpoint);
  ended.facts.started_at = std::chrono::system_clock::now();
  {
    const Telling telling(view.progress, queue);
    ended.summary = run_to_end(queue);
  }
  ended.facts.interrupted_by = watch.finish();
  tally.hand_over(ended);
  return ended;
}

template <typename Queue>
Ended run_on_new(job::Plan plan, const RunCommand& command, View& view) {
  Tally tally(command, {});
  view.listen(plan.queue.hooks);
  tally.listen(plan.queue.hooks);
  plan.queue.keep_results = false;
  Queue queue(plan.queue);
  return run_on(queue, std::move(plan), command, view, tally);
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
