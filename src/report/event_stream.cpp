// SPDX-License-Identifier: MIT
#include "report/event_stream.hpp"

#include <chrono>
#include <utility>

#include "base/text.hpp"
#include "report/attempt_status.hpp"
#include "report/json_parts.hpp"
#include "report/run_status.hpp"
#include "report/wall_time.hpp"

namespace osiiso::report {
namespace {

constexpr int kVersion = 1;

// What texts may take of a line, as they are written.
constexpr std::size_t kNameBytes = 800;
constexpr std::size_t kTextBytes = 1600;  // of a command or message

constexpr std::string_view kCut = "…";

/// How much a byte of valid UTF-8 takes in JSON at most.
std::size_t written_size(char c) {
  if (static_cast<unsigned char>(c) < 0x20 || c == '\x7f' || c == '\xC2') return 6;
  return c == '"' || c == '\\' ? 2 : 1;
}

/// Valid UTF-8 that takes no more than `most` bytes, apart from the mark where it was cut.
std::string fitting(std::string_view text, std::size_t most) {
  // A character that is cut in two here is behind the next cut.
  constexpr std::size_t kLongestCharacter = 4;
  std::string valid = base::replace_invalid_utf8(text.substr(0, most + 2 * kLongestCharacter));
  std::size_t end = 0;
  for (std::size_t size = 0; end < valid.size(); ++end) {
    size += written_size(valid[end]);
    if (size > most) break;
  }
  if (end == valid.size()) return valid;
  valid.resize(end);
  if (const auto cut = base::find_invalid_utf8(valid)) valid.resize(*cut);
  return valid.append(kCut);
}

std::string_view word_of(StopCause cause) {
  switch (cause) {
    case StopCause::fail_first:
      return "fail_first";
    case StopCause::timeout:
      return "timeout";
    case StopCause::halt:
      return "signal";
    case StopCause::kill:
      return "kill";
    default:
      return "error";
  }
}

}  // namespace

JsonText& EventStream::open(std::string_view type) {
  const auto now = base::now();
  if (next_seq_ == 0) started_at_ = now;
  json_ = {};
  json_.open('{');
  json_.key("v").number(kVersion);
  json_.key("seq").number(next_seq_++);
  json_.key("ts").text(rfc3339(to_wall_time(std::chrono::system_clock::now())));
  json_.key("t").time(now - started_at_);
  json_.key("run").text(run_id_);
  json_.key("type").text(type);
  return json_;
}

JsonText& EventStream::open(std::string_view type, std::string_view task_id,
                            std::string_view name) {
  open(type);
  json_.key("task_id").text_or_null(task_id);
  json_.key("name").text_or_null(fitting(name, kNameBytes));
  return json_;
}

void EventStream::close() {
  json_.close('}');
  take_(json_.written() + '\n');
}

void EventStream::begin(std::string run_id, std::string_view name, std::string_view queue,
                        std::optional<std::size_t> total) {
  const std::lock_guard lock(mutex_);
  run_id_ = std::move(run_id);
  auto& out = open("run_started");
  out.key("name").text(fitting(name, kNameBytes));
  out.key("total").number(total);
  out.key("queue").text(queue);
  close();
}

void EventStream::task_submitted(const SubmittedTask& task) {
  const std::lock_guard lock(mutex_);
  auto& out = open("task_submitted", task.task_id, task.name);
  out.key("group_id").text_or_null(fitting(task.group_id, kNameBytes));
  out.key("priority").number(task.priority);
  out.key("detached").boolean(task.detached);
  out.key("command").text_or_null(fitting(task.command, kTextBytes));
  close();
}

void EventStream::attempt_started(const TaskContext& attempt, int pid) {
  const auto task_id = attempt.task_id();
  const std::lock_guard lock(mutex_);
  told_[task_id].started = attempt.attempt();
  tell_started(task_id, attempt.name(), attempt.attempt(), attempt.worker(), pid);
}

void EventStream::tell_started(std::string_view task_id, std::string_view name, int attempt,
                               int worker, std::optional<int> pid) {
  auto& out = open("attempt_started", task_id, name);
  out.key("attempt").number(attempt);
  out.key("worker").number(worker);
  out.key("pid").number(pid);
  close();
}

void EventStream::attempt_failed(const FailedAttempt& task, const AttemptResult& attempt) {
  const std::lock_guard lock(mutex_);
  auto& told = told_[task.task_id];
  tell_end(told, task.task_id, task.name, attempt, Status::failed);
  tell_leaked(told, task.task_id, task.name, task.output.get());
  auto& out = open("retry_scheduled", task.task_id, task.name);
  out.key("attempt").number(attempt.attempt + 1);
  out.key("delay").time(task.delay);
  close();
}

void EventStream::tell_end(Told& told, std::string_view task_id, std::string_view name,
                           const AttemptResult& attempt, Status status) {
  // Nothing could be started for it.
  if (told.started < attempt.attempt) {
    tell_started(task_id, name, attempt.attempt, attempt.worker, {});
  }
  told.finished = attempt.attempt;
  auto shown = attempt;
  shown.message = fitting(attempt.message, kTextBytes);
  auto& out = open("attempt_finished", task_id, name);
  write_attempt_fields(out, shown);
  out.key("status").text(to_string(status));
  close();
}

/// Those that the task's attempts have left behind since.
void EventStream::tell_leaked(Told& told, std::string_view task_id, std::string_view name,
                              const CommandOutput* output) {
  if (output == nullptr) return;
  for (; told.leaked < output->leaked.size(); ++told.leaked) {
    tell_leaked(task_id, name, output->leaked[told.leaked]);
  }
}

void EventStream::tell_leaked(std::string_view task_id, std::string_view name,
                              const LeakedProcess& process) {
  auto shown = process;
  shown.command = fitting(process.command, kTextBytes);
  write_leaked_fields(open("process_leaked", task_id, name), shown);
  close();
}

void EventStream::process_leaked(const LeakedProcess& process) {
  const std::lock_guard lock(mutex_);
  tell_leaked({}, {}, process);
}

void EventStream::task_finished(const TaskResult& result) {
  const auto task_id = result.task_id.text();
  const std::lock_guard lock(mutex_);
  auto found = told_.extract(task_id);
  auto told = found ? found.mapped() : Told();
  const auto attempts = result.attempt_list();
  if (!attempts.empty() && attempts.back().attempt > told.finished) {
    const auto& last = attempts.back();
    tell_end(told, task_id, result.name, last, attempt_status(result, last));
  }
  tell_leaked(told, task_id, result.name, result.output.get());
  auto& out = open("task_finished", task_id, result.name);
  out.key("status").text(to_string(result.status));
  out.key("attempts").number(result.attempts);
  out.key("duration").time(result.duration);
  out.key("restored").boolean(result.restored);
  out.key("message").text(fitting(result.message, kTextBytes));
  close();
}

void EventStream::run_stopping(const RunStop& stop) {
  const std::lock_guard lock(mutex_);
  auto& out = open("run_stopping");
  out.key("cause").text(word_of(stop.cause));
  write_signal(out.key("signal"),
               stop.cause == StopCause::halt ? std::optional(stop.signal) : std::nullopt);
  close();
}

void EventStream::end(const RunSummary& summary, const RunFacts& facts) {
  const std::lock_guard lock(mutex_);
  auto& out = open("run_finished");
  out.key("status").text(status_of(summary, facts));
  out.key("ok").boolean(is_ok(summary, facts));
  write_summary_counts(out, summary);
  write_signal(out.key("interrupted_by"), facts.interrupted_by);
  out.key("restored").number(summary.restored.size() + facts.restored_let_go);
  write_counts(out.key("detached"), facts.detached);
  out.key("leaked").number(facts.leaked);
  close();
}

}  // namespace osiiso::report
