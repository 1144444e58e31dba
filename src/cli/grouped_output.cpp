// SPDX-License-Identifier: MIT
#include "cli/grouped_output.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "osiiso/error.hpp"

#include "cli/console.hpp"
#include "cli/hook_chain.hpp"
#include "process/capture.hpp"

namespace osiiso::cli {
namespace {

// Of a stream, and of all that wait, this much stays in memory.
constexpr std::size_t kMostText = 64UL * 1024;
constexpr std::size_t kMostHeld = 1024UL * 1024;

}  // namespace

void GroupedOutput::listen(Hooks& hooks) {
  add_call(hooks.on_output, [this](const TaskContext& attempt, OutputStream stream,
                                   std::string_view bytes) { take(attempt, stream, bytes); });
  // Only the last attempt's output is shown.
  add_call(hooks.on_retry, [this](const HookTask& task, const AttemptResult&) {
    forget(take_streams(task.task_id));
  });
  add_call(hooks.on_complete, [this](const ResultPtr& result) {
    finish_task(*result);
    while (const auto due = take_due()) show(*due);
  });
}

std::size_t GroupedOutput::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

void GroupedOutput::take(const TaskContext& attempt, OutputStream stream, std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  auto& streams = running_[attempt.task_id()];
  auto& printed = stream == OutputStream::out ? streams.out : streams.err;
  printed.text += bytes;
  if (printed.text.size() > kMostText) put_away(printed);
}

void GroupedOutput::finish_task(const TaskResult& result) {
  Streams streams = take_streams(result.task_id.text());
  const std::lock_guard lock(mutex_);
  const auto is_kept_in_memory = [&] { return result.number == next_ || held_ <= kMostHeld; };
  for (auto* printed : {&streams.out, &streams.err}) {
    if (!is_kept_in_memory()) put_away(*printed);
    held_ += printed->text.size();
  }
  waiting_.emplace(result.number, Waiting{.name = result.name, .streams = std::move(streams)});
}

std::optional<GroupedOutput::Waiting> GroupedOutput::take_due() {
  const std::lock_guard lock(mutex_);
  const auto first = waiting_.begin();
  if (first == waiting_.end() || first->first != next_) return {};
  ++next_;
  Waiting due = std::move(first->second);
  waiting_.erase(first);
  held_ -= due.streams.out.text.size() + due.streams.err.text.size();
  return due;
}

GroupedOutput::Streams GroupedOutput::take_streams(const std::string& task_id) {
  const std::lock_guard lock(mutex_);
  auto node = running_.extract(task_id);
  return node ? std::move(node.mapped()) : Streams();
}

/// Moves the text to the file. Where that is full, the text is lost, and that is told in the end.
void GroupedOutput::put_away(Printed& printed) {
  if (printed.text.empty()) return;
  try {
    if (!file_) file_.emplace();
    printed.parts.push_back({.at = file_->append(printed.text), .size = printed.text.size()});
  } catch (const SystemError& error) {
    fail(error);
  }
  printed.text.clear();
}

void GroupedOutput::forget(const Streams& streams) {
  const std::lock_guard lock(mutex_);
  for (const auto* printed : {&streams.out, &streams.err}) {
    for (const auto& part : printed->parts) file_->discard(part.at, part.size);
  }
}

void GroupedOutput::show(const Waiting& task) {
  std::string folded;
  int log = STDERR_FILENO;
  for (const auto stream : {OutputStream::out, OutputStream::err}) {
    const auto& printed = stream == OutputStream::out ? task.streams.out : task.streams.err;
    if (printed.empty()) continue;
    const int descriptor = descriptor_of(stream);
    if (!log_.is_shown_by(descriptor)) {
      show_plain(descriptor, printed);
      continue;
    }
    if (folded.empty()) log = descriptor;
    if (!folded.empty() && folded.back() != '\n') folded += '\n';
    folded += shown_on(descriptor, kept_of(printed));
  }
  if (!folded.empty()) write(log, log_.folded(task.name, folded));
  forget(task.streams);
}

/// What is folded is read by nobody but people: of much, the beginning and the end.
std::string GroupedOutput::kept_of(const Printed& printed) {
  process::Capture kept;
  each_piece(printed, [&](std::string_view piece) { kept.append(piece); });
  return kept.take_text();
}

void GroupedOutput::show_plain(int descriptor, const Printed& printed) {
  const bool is_terminal = ::isatty(descriptor) == 1;
  std::string begun;
  each_piece(printed, [&](std::string_view piece) {
    begun += piece;
    // A terminal gets whole lines, as long as they have an end.
    std::size_t end = is_terminal ? begun.rfind('\n') + 1 : begun.size();
    if (end == 0 && begun.size() > kMostText) end = begun.size();
    if (end > 0) write(descriptor, shown_on(descriptor, begun.substr(0, end)));
    begun.erase(0, end);
  });
  if (!begun.empty()) write(descriptor, shown_on(descriptor, begun));
}

void GroupedOutput::each_piece(const Printed& printed,
                               const std::function<void(std::string_view)>& take) {
  for (const auto& [at, size] : printed.parts) {
    for (std::size_t done = 0; done < size; done += kMostText) {
      const auto piece = [&, begin = at + done, length = std::min(kMostText, size - done)] {
        const std::lock_guard lock(mutex_);
        return file_->read(begin, length);
      };
      try {
        take(piece());
      } catch (const SystemError& error) {
        fail(error);
      }
    }
  }
  if (!printed.text.empty()) take(printed.text);
}

}  // namespace osiiso::cli
