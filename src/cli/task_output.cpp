// SPDX-License-Identifier: MIT
#include "cli/task_output.hpp"

#include <unistd.h>

#include <map>
#include <utility>

#include "osiiso/error.hpp"

#include "base/format.hpp"
#include "base/text.hpp"
#include "cli/console.hpp"
#include "cli/grouped_output.hpp"
#include "cli/hook_chain.hpp"
#include "cli/result_stream.hpp"

namespace osiiso::cli {
namespace {

constexpr std::size_t kTagColumns = 40;
// A longer line is shown in parts.
constexpr std::size_t kLongestLine = 64UL * 1024;

class NoOutput final : public TaskOutput {
 public:
  NoOutput() : TaskOutput(true) {}
};

/// Line by line as it comes, each with the task's name.
class TaggedOutput final : public TaskOutput {
 public:
  TaggedOutput(bool all_to_stderr, Colour colour) : TaskOutput(all_to_stderr), colour_(colour) {}

  void listen(Hooks& hooks) override {
    add_call(hooks.on_output, [this](const TaskContext& attempt, OutputStream stream,
                                     std::string_view bytes) { take(attempt, stream, bytes); });
    add_call(hooks.on_retry,
             [this](const HookTask& task, const AttemptResult&) { end(task.task_id, task.name); });
    add_call(hooks.on_complete,
             [this](const ResultPtr& result) { end(result->task_id.text(), result->name); });
  }

 private:
  using Key = std::pair<std::string, OutputStream>;

  void take(const TaskContext& attempt, OutputStream stream, std::string_view bytes) {
    const Key key(attempt.task_id(), stream);
    std::string text = take_begun(key).append(bytes);
    const std::size_t end_of_lines = text.rfind('\n') + 1;  // 0: there is none
    std::string begun = text.substr(end_of_lines);
    text.resize(end_of_lines);
    if (begun.size() > kLongestLine) text += std::exchange(begun, {});
    show(attempt.name(), stream, text);
    if (begun.empty()) return;
    const std::lock_guard lock(mutex_);
    begun_.emplace(key, std::move(begun));
  }

  void end(const std::string& task_id, const std::string& name) {
    for (const auto stream : {OutputStream::out, OutputStream::err}) {
      show(name, stream, take_begun({task_id, stream}));
    }
  }

  /// The last line so far, which has no end yet.
  std::string take_begun(const Key& key) {
    const std::lock_guard lock(mutex_);
    const auto node = begun_.extract(key);
    return node ? std::move(node.mapped()) : std::string();
  }

  void show(const std::string& name, OutputStream stream, std::string_view lines) {
    const int descriptor = descriptor_of(stream);
    const std::string tag = tag_for(name, descriptor);
    std::string text;
    while (!lines.empty()) {
      const std::size_t end = lines.find('\n');
      text += tag;
      text += shown_on(descriptor, std::string(lines.substr(0, end)));
      if (text.back() != '\n') text += '\n';
      lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    }
    if (!text.empty()) write(descriptor, text);
  }

  std::string tag_for(const std::string& name, int descriptor) const {
    const auto shown = base::cut_to_width(base::escape_controls(name), kTagColumns);
    return takes_colours(descriptor, colour_) ? base::format("\x1b[36m[{}]\x1b[0m ", shown)
                                              : base::format("[{}] ", shown);
  }

  const Colour colour_;
  std::mutex mutex_;
  std::map<Key, std::string> begun_;
};

}  // namespace

std::unique_ptr<TaskOutput> TaskOutput::make(const RunOptions& options, bool is_stdout_taken,
                                             const CiLog& log) {
  switch (options.output) {
    case Output::grouped:
      return std::make_unique<GroupedOutput>(is_stdout_taken, log);
    case Output::tagged:
      return std::make_unique<TaggedOutput>(is_stdout_taken, options.colour);
    default:
      return std::make_unique<NoOutput>();
  }
}

int TaskOutput::descriptor_of(OutputStream stream) const {
  return stream == OutputStream::out && !all_to_stderr_ ? STDOUT_FILENO : STDERR_FILENO;
}

void TaskOutput::write(int descriptor, std::string_view text) {
  const int error = console().write(descriptor, text);
  if (error == 0 || descriptor != STDOUT_FILENO) return;
  fail(SystemError("cannot write the tasks' output to standard output", error));
}

void TaskOutput::fail(const SystemError& error) {
  const std::lock_guard lock(error_mutex_);
  if (error_.empty()) error_ = error.what();
}

ExitCode TaskOutput::finish(const std::string& what_happened) {
  if (error_.empty()) return ExitCode::passed;
  say(error_ + what_happened);
  return ExitCode::write_failed;
}

}  // namespace osiiso::cli
