// SPDX-License-Identifier: MIT
#include "cli/event_log.hpp"

#include <string_view>

#include "base/format.hpp"
#include "cli/hook_chain.hpp"
#include "cli/result_stream.hpp"

namespace osiiso::cli {

EventLog::EventLog(const EventTarget& target)
    : name_(target.text()),
      writer_(
          target.open(),
          [this](const std::string& reason) {
            say(base::format("cannot write the events to {}: {}; the run goes on", name_, reason));
          }),
      stream_([this](std::string_view line) { writer_.write(line); }) {}

void EventLog::listen(Hooks& hooks) {
  add_call(hooks.on_submit, [this](const SubmittedTask& task) { stream_.task_submitted(task); });
  add_call(hooks.on_spawn,
           [this](const TaskContext& attempt, int pid) { stream_.attempt_started(attempt, pid); });
  add_call(hooks.on_retry, [this](const FailedAttempt& task, const AttemptResult& attempt) {
    stream_.attempt_failed(task, attempt);
  });
  add_call(hooks.on_complete, [this](const ResultPtr& result) { stream_.task_finished(*result); });
  add_call(hooks.on_stop, [this](const RunStop& stop) { stream_.run_stopping(stop); });
}

ExitCode EventLog::finish(Duration patience) {
  return writer_.finish(patience) ? ExitCode::passed : ExitCode::write_failed;
}

}  // namespace osiiso::cli
