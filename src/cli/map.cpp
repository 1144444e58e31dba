// SPDX-License-Identifier: MIT
#include <algorithm>
#include <chrono>
#include <memory>
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
#include "cli/feeder.hpp"
#include "cli/hook_chain.hpp"
#include "cli/input_source.hpp"
#include "cli/queue_kind.hpp"
#include "cli/reactions.hpp"
#include "cli/report_files.hpp"
#include "cli/result_stream.hpp"
#include "cli/tally.hpp"
#include "cli/view.hpp"
#include "job/job.hpp"
#include "job/placeholders.hpp"

namespace osiiso::cli {
namespace {

// Enough to keep all workers busy, and little to be read ahead of them.
constexpr std::int64_t kDefaultSize = 100;
constexpr std::int64_t kSizePerWorker = 2;

// Tasks whose output waits for that of another are only names and places in a file, but some day
// even these are too many.
constexpr std::size_t kMostWaiting = 10'000;

// All need not fit in memory.
constexpr Tally::Limits kKept{.failures = 1'000, .output = std::size_t{16} << 20, .leaking = 1'000};

constexpr const char* kPlaceholder = "{}";

job::Template read_command(const std::vector<std::string>& words) {
  const job::InputNames no_names;
  if (words.size() > 1) return job::Template::argv(words, no_names);
  return job::Template::shell(words.front(), CommandSettings{}.shell, no_names);
}

/// The command with its placeholders; at its end, where it names none. Throws `UsageError`.
job::Template template_of(std::vector<std::string> words) {
  auto made = read_command(words);
  if (made.mistakes().empty() && !made.uses_input()) {
    if (words.size() > 1) {
      words.emplace_back(kPlaceholder);
    } else {
      words.front() += std::string(" ") + kPlaceholder;
    }
    made = read_command(words);
  }
  auto mistake = made.mistakes().empty() ? made.check(job::Input::scalar({}))
                                         : std::optional(made.mistakes().front());
  if (mistake) throw UsageError(base::format("COMMAND: {} ({})", mistake->text, mistake->hint));
  return made;
}

std::unique_ptr<InputSource> open_inputs(const MapCommand& command) {
  try {
    return inputs_of(command);
  } catch (const SystemError& error) {
    throw UsageError(error.what());
  }
}

std::string name_of(const MapCommand& command) {
  std::string name;
  for (const auto& word : command.words) name += (name.empty() ? "" : " ") + word;
  return name;
}

job::QueueKind kind_of(const MapCommand& command) {
  return command.overrides.kind.value_or(job::QueueKind::thread);
}

QueueOptions queue_options_of(const MapCommand& command) {
  auto options = job::queue_options(command.overrides);
  if (!options.workers) options.workers = base::usable_cpus();
  options.size = 0;  // the feeder knows better: what nobody has looked at yet is outstanding, too
  options.keep_results = false;
  return options;
}

std::size_t size_of(const MapCommand& command, int workers) {
  const auto usual = std::max(kDefaultSize, kSizePerWorker * workers);
  return static_cast<std::size_t>(command.overrides.size.value_or(usual));
}

RunSummary feed_and_run(SyncQueue& queue, Feeder& feeder) {
  queue.start();
  feeder.feed([&](Batch batch) { queue.post(std::move(batch)); });
  return queue.run(feeder.time_left());
}

asio::awaitable<RunSummary> feed_and_await(AsyncQueue& queue, Feeder& feeder) {
  co_await queue.start();
  AsyncQueue reading({.workers = 1});  // inputs are waited for on a thread of its own
  reading.submit([&] { feeder.feed([&](Batch batch) { queue.post(std::move(batch)); }); });
  co_await reading.run({}, /*strict=*/true);
  co_return co_await queue.run(feeder.time_left());
}

RunSummary feed_and_run(AsyncQueue& queue, Feeder& feeder) {
  return osiiso::run(feed_and_await(queue, feeder));
}

/// Words behind the command are its own, so that inputs may be missing where they seem to be given.
void say_no_inputs(const Feeder& feeder) {
  const bool are_known = feeder.error().empty() && !feeder.timed_out();
  if (are_known && feeder.inputs_taken() == 0) say("no inputs");
}

/// One run over the inputs.
class MapRun {
 public:
  /// `is_typed`: somebody types the inputs.
  MapRun(const MapCommand& command, View& view, Feeder& feeder, bool is_typed)
      : command_(command),
        view_(view),
        feeder_(feeder),
        tells_progress_(!is_typed || command.progress == ProgressStyle::lines),
        tally_(command, kKept) {}

  Ended run() {
    block_heard_signals();
    auto options = queue_options_of(command_);
    view_.listen(options.hooks);
    tally_.listen(options.hooks);
    if (command_.output == Output::failed) show_failures(options.hooks);
    feeder_.listen(options.hooks);  // last, for then there is room for another
    Ended ended = with_queue_type(
        kind_of(command_),
        [&]<typename Queue>(std::type_identity<Queue>) { return run_on<Queue>(options); });
    stop_strays(ended, options.grace);
    return ended;
  }

 private:
  /// At once, for they need not fit in memory.
  void show_failures(Hooks& hooks) const {
    add_call(hooks.on_complete, [this](const ResultPtr& result) {
      if (result->status == Status::failed) show_output(*result, view_.ci_log);
    });
  }

  template <typename Queue>
  Ended run_on(const QueueOptions& options) {
    Queue queue(options);
    SignalWatch watch(reactions_to(queue));
    Ended ended;
    ended.facts.name = name_of(command_);
    begin_events(view_, queue.run_id(), ended.facts.name, kind_of(command_), {});
    view_.follow({});
    ended.facts.started_at = std::chrono::system_clock::now();
    {
      std::optional<Telling> telling;
      if (tells_progress_) {
        telling.emplace(view_.progress, queue, [&] { return feeder_.is_done(); });
      }
      ended.summary = feed_and_run(queue, feeder_);
    }
    ended.facts.interrupted_by = watch.finish();
    if (feeder_.timed_out()) ended.summary.timed_out = true;
    tally_.hand_over(ended);
    ended.is_output_shown = true;
    if (!command_.quiet) {
      if (!ended.facts.interrupted_by) say_no_inputs(feeder_);
      say_restored(ended);
    }
    return ended;
  }

  /// Where nothing is outstanding a halt ends nothing, and no hook tells of it.
  template <typename Queue>
  SignalWatch::Reactions reactions_to(Queue& queue) {
    auto reactions = reactions_of(queue, view_.progress);
    reactions.first = [this, halt = std::move(reactions.first)](int signal) {
      halt(signal);
      feeder_.stop();
    };
    return reactions;
  }

  void say_restored(const Ended& ended) const {
    const auto restored = tally_.restored();
    cli::say_restored(restored, restored + ended.summary.total_submitted, command_.checkpoint);
  }

  const MapCommand& command_;
  View& view_;
  Feeder& feeder_;
  const bool tells_progress_;
  Tally tally_;
};

Feeder::Options feeder_options(const MapCommand& command) {
  const auto queue = queue_options_of(command);
  return {.size = size_of(command, *queue.workers),
          .timeout = queue.timeout,
          .run_name = name_of(command),
          .task = job::task_options(command.overrides)};
}

/// The tasks as they would start.
ExitCode show_tasks(const MapCommand& command, InputSource& inputs, job::Template commands) {
  auto options = feeder_options(command);
  options.size = 0;
  options.timeout.reset();
  Feeder feeder(inputs, std::move(commands), options);
  job::Plan plan;
  plan.name = name_of(command);
  feeder.feed([&](Batch batch) {
    for (const auto& task : batch.tasks()) {
      if (task.body.command() == nullptr) {
        say(base::format("{} would fail", task.name()));
      } else {
        plan.batch.add(task.name(), task.options(), task.body);
      }
    }
  });
  if (!feeder.error().empty()) {
    say(feeder.error());
    return ExitCode::usage;
  }
  if (!command.quiet) say_no_inputs(feeder);
  return show_plan(plan, command.checkpoint, command.json);
}

}  // namespace

ExitCode map(const MapCommand& command) {
  auto commands = template_of(command.words);
  const auto inputs = open_inputs(command);
  if (command.dry_run) return show_tasks(command, *inputs, std::move(commands));
  std::vector<std::string> sources;
  if (!command.input_file.empty()) sources.push_back(command.input_file);
  const auto reports = open_reports(command, sources, "where the inputs are");
  const bool is_typed = inputs->is_terminal();
  if (!is_typed) leave_process_group();
  View view(command, reports, LogNames::by_number);
  std::optional<Checkpoint> checkpoint;
  try {
    if (!command.checkpoint.empty()) checkpoint.emplace(command.checkpoint);
  } catch (const CheckpointError& error) {
    say(error.what());
    return ExitCode::usage;
  }
  auto options = feeder_options(command);
  options.checkpoint = checkpoint ? &*checkpoint : nullptr;
  options.is_too_far_ahead = [&] { return view.output->waiting() > kMostWaiting; };
  Feeder feeder(*inputs, std::move(commands), options);
  if (is_typed && !command.quiet) {
    say("reading inputs from the terminal, one a line; Ctrl-D ends");
  }
  const auto ended = MapRun(command, view, feeder, is_typed).run();
  auto unread = ExitCode::passed;
  if (!feeder.error().empty()) {
    say(base::format("{}; {} inputs were taken before", feeder.error(), feeder.inputs_taken()));
    unread = ExitCode::errors;
  }
  return std::max(unread, report_and_end(ended, command, reports, view, options.checkpoint));
}

}  // namespace osiiso::cli
