// SPDX-License-Identifier: MIT
#include "process/command_run.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "osiiso/task_context.hpp"

#include "base/format.hpp"
#include "base/poll.hpp"
#include "base/text.hpp"
#include "process/launch.hpp"
#include "process/run.hpp"
#include "process/start_patience.hpp"
#include "process/task_processes.hpp"

namespace osiiso {
namespace process {
namespace {

constexpr std::size_t kMessageColumns = 200;

std::string failure_message(const CommandOutput& output) {
  const std::string_view line = base::last_line(output.stderr_text);
  if (!line.empty()) return base::cut_to_width(base::escape_controls(line), kMessageColumns);
  if (output.exit_code) return base::format("exit status {}", *output.exit_code);
  return base::format("killed by {}{}", base::signal_name(*output.signal),
                      output.core_dumped ? " (core dumped)" : "");
}

/// A child, and what whoever drives it waits by: made before, for once it runs nothing may be
/// lacking any more.
struct DrivenChild {
  DrivenChild(const Command& command, const TaskContext& context, LaunchPad& pad,
              const base::Descriptor& stop_event)
      : wake(context.stop_state(), stop_event), run(Launch(command, context, pad)) {}

  base::StopWake wake;
  ChildRun run;
};

}  // namespace

CommandOutput conclude(ChildResult result, const CommandSettings& settings) {
  CommandOutput& output = result.output;
  if (result.status_lost) {
    throw CommandError(
        "the exit status was lost: this program reaps children that it did not start", Cause::error,
        std::move(output));
  }
  const bool is_ok =
      output.exit_code && std::ranges::count(settings.ok_codes, *output.exit_code) != 0;
  if (!is_ok) {
    const std::string message = failure_message(output);
    const Cause cause = output.exit_code ? Cause::exit : Cause::signal;
    throw CommandError(message, cause, std::move(output));
  }
  if (settings.leak == Leak::fail && !output.leaked.empty()) {
    const std::string message = left_behind(output.leaked.size());
    throw CommandError(message, Cause::leak, std::move(output));
  }
  return std::move(output);
}

CommandOutput CommandRunner::run(const Command& command, const TaskContext& context) {
  if (context.stop_state().latest()) throw stopped_before_start();
  try {
    auto child = start_patiently(
        context.stop_state(),
        [&] {
          if (!stop_event_) stop_event_ = base::make_eventfd();
          return DrivenChild(command, context, pad_, stop_event_);
        },
        [this] { let_go(); });
    run_to_end(child.run, child.wake);
    return conclude(child.run.take_result(), command.settings());
  } catch (const SystemError& why) {
    throw not_started(why);
  }
}

CommandOutput CommandRunner::run(const Command& command, const TaskContext& context,
                                 base::StopSource& stops) {
  if (context.stop_state().latest()) throw stopped_before_start();
  try {
    auto child = start_patiently(
        stops, [&] { return ChildRun(Launch(command, context, pad_)); }, [this] { let_go(); });
    run_to_end(child, stops);
    return conclude(child.take_result(), command.settings());
  } catch (const SystemError& why) {
    throw not_started(why);
  }
}

void CommandRunner::let_go() {
  pad_ = {};
  stop_event_.reset();
}

}  // namespace process

CommandOutput Command::operator()(const TaskContext& context) const {
  return process::CommandRunner().run(*this, context);
}

}  // namespace osiiso
