// SPDX-License-Identifier: MIT
#include "cli/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <system_error>
#include <utility>

#include "osiiso/own_process.hpp"

#include "base/clock.hpp"
#include "base/format.hpp"
#include "base/text.hpp"
#include "cli/ci.hpp"
#include "cli/console.hpp"
#include "cli/hook_chain.hpp"
#include "cli/result_stream.hpp"
#include "cli/variable.hpp"

namespace osiiso::cli {
namespace {

using namespace std::chrono_literals;

constexpr Duration kBetweenDrawings = 100ms;
constexpr Duration kBetweenLines = 30s;

constexpr std::size_t kTasksInBar = 5;
constexpr std::size_t kTasksInLine = 3;
constexpr std::size_t kNameColumns = 40;
constexpr std::size_t kBarColumns = 30;
// A rate that was measured over less tells nothing.
constexpr double kLeastSeconds = 1.0;

struct Window {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

Window window() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    return {};
  }
  return {.columns = size.ws_col, .rows = size.ws_row};
}

bool is_smart_terminal() {
  const auto kind = variable("TERM");
  return ::isatty(STDERR_FILENO) == 1 && !kind.empty() && kind != "dumb";
}

/// Whether the job that the shell knows has the terminal: our guardian is in that group, we are
/// not.
bool has_terminal() {
  const int guardian = guardian_pid();
  return ::tcgetpgrp(STDERR_FILENO) == (guardian > 0 ? ::getpgid(guardian) : ::getpgrp());
}

/// `12.3s`, `4m05s`, `2h03m`.
std::string rough_time(double time) {
  const auto whole = static_cast<std::int64_t>(time);
  if (whole < 60) return base::format("{:.1f}s", time);
  if (whole < 3600) return base::format("{}m{:02}s", whole / 60, whole % 60);
  return base::format("{}h{:02}m", whole / 3600, whole / 60 % 60);
}

std::string shown_name(std::string_view name, std::size_t columns) {
  return base::cut_to_width(base::escape_controls(name), columns);
}

std::string running_line(const std::vector<RunningTask>& tasks) {
  std::string text;
  for (std::size_t i = 0; i < std::min(tasks.size(), kTasksInLine); ++i) {
    text += base::format("{}{} {}", i == 0 ? ": " : ", ", shown_name(tasks[i].name, kNameColumns),
                         rough_time(base::in_seconds(tasks[i].running_for)));
  }
  return text;
}

}  // namespace

Progress::Progress(const RunOptions& options)
    : style_(style_of(options)),
      is_verbose_(options.verbose && !options.quiet && options.progress != ProgressStyle::none),
      has_colours_(takes_colours(STDERR_FILENO, options.colour)) {}

Progress::Style Progress::style_of(const RunOptions& options) {
  if (options.progress == ProgressStyle::none || options.quiet) return Style::none;
  if (options.progress == ProgressStyle::lines || !is_smart_terminal()) return Style::lines;
  return options.progress == ProgressStyle::bar || !in_ci() ? Style::bar : Style::lines;
}

void Progress::listen(Hooks& hooks) {
  if (style_ != Style::bar && !is_verbose_) return;
  add_call(hooks.on_complete, [this](const ResultPtr& result) {
    if (result->status == Status::failed) ++failed_;
    if (is_verbose_ && !result->restored) tell_finished(*result);
  });
  add_call(hooks.on_stop, [this](const RunStop& stop) {
    is_halted_ = is_halted_ || stop.cause == StopCause::halt;
  });
}

void Progress::tell_finished(const TaskResult& result) {
  auto text = base::format("task '{}' {}", result.name, to_string(result.status));
  if (result.attempts > 1) text += base::format(" ({} attempts)", result.attempts);
  if (result.started_at) text += base::format(", {:.3f}s", base::in_seconds(result.duration));
  if (!result.message.empty()) text += ": " + result.message;
  say(text);
}

void Progress::start(Source source) {
  if (style_ == Style::none) return;
  source_ = std::move(source);
  started_at_ = base::now();
  finished_before_ = source_.stats().finished;
  const std::lock_guard lock(mutex_);
  is_started_ = true;
  if (is_due_) start_thread();
}

Duration Progress::pause() const {
  return style_ == Style::bar ? kBetweenDrawings : kBetweenLines;
}

void Progress::note_due() {
  const std::lock_guard lock(mutex_);
  is_due_ = true;
  if (is_started_) start_thread();
}

void Progress::start_thread() {
  if (is_stopped_ || thread_.joinable()) return;
  try {
    thread_ = std::thread([this] { work(); });
  } catch (const std::system_error&) {  // NOLINT(bugprone-empty-catch)
    // The tasks need what there is.
  }
}

void Progress::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
  }
  if (!thread_.joinable()) return;
  stopped_.notify_all();
  thread_.join();
  if (style_ == Style::bar) console().draw({});
}

void Progress::work() {
  std::unique_lock lock(mutex_);
  while (!is_stopped_) {
    lock.unlock();
    tell();
    lock.lock();
    stopped_.wait_for(lock, pause(), [this] { return is_stopped_; });
  }
}

void Progress::tell() {
  if (style_ == Style::bar) return console().draw(has_terminal() ? bar() : std::string());
  const auto stats = source_.stats();
  const auto total =
      is_total_known() ? base::format(" of {}", stats.finished + stats.outstanding) : std::string();
  say(base::format("{}{} finished, {} running{}", stats.finished, total, stats.running,
                   running_line(source_.running())));
}

std::string Progress::bar() const {
  const auto [columns, rows] = window();
  // The last column stays free: some terminals go to the next line there.
  const std::size_t width = columns - 1;
  std::string text = counts(source_.stats(), width) + '\n';
  const auto tasks = source_.running();
  const std::size_t room = rows > 2 ? rows - 2 : 0;
  for (std::size_t i = 0; i < std::min({tasks.size(), kTasksInBar, room}); ++i) {
    const auto line = base::format("{:>8}  {}", rough_time(base::in_seconds(tasks[i].running_for)),
                                   base::escape_controls(tasks[i].name));
    text += base::cut_to_width(line, width) + '\n';
  }
  return text;
}

std::string Progress::counts(const QueueStats& stats, std::size_t width) const {
  const std::uint64_t total = stats.finished + stats.outstanding;
  const bool is_known = is_total_known();
  std::string text = is_halted_ ? " stopping (Ctrl-C again kills all)," : "";
  text += is_known ? base::format(" {}/{}", stats.finished, total)
                   : base::format(" {} finished", stats.finished);
  if (failed_ > 0) text += base::format(", {} failed", failed_.load());
  text += base::format(", {} running", stats.running);
  const double elapsed = base::in_seconds(base::now() - started_at_);
  const auto done = static_cast<double>(stats.finished - finished_before_);
  if (done > 0 && elapsed >= kLeastSeconds && !is_halted_) {
    const double rate = done / elapsed;
    text += base::format(", {:.1f}/s", rate);
    if (is_known) {
      const double left = static_cast<double>(stats.outstanding) / rate;
      text += base::format(", about {} left", rough_time(left));
    }
  }
  if (!is_known || text.size() + kBarColumns + 2 > width)
    return base::cut_to_width(text.substr(1), width);
  const auto filled = total == 0 ? 0 : kBarColumns * stats.finished / total;
  const char* colour = failed_ > 0 ? "\x1b[31m" : "\x1b[32m";
  return base::format("[{}{}{}{}]{}", has_colours_ ? colour : "", std::string(filled, '='),
                      has_colours_ ? "\x1b[0m" : "", std::string(kBarColumns - filled, ' '), text);
}

}  // namespace osiiso::cli
