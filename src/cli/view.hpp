// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "osiiso/hooks.hpp"
#include "osiiso/task_handle.hpp"

#include "cli/ci_log.hpp"
#include "cli/event_log.hpp"
#include "cli/exit_code.hpp"
#include "cli/log_folder.hpp"
#include "cli/options.hpp"
#include "cli/progress.hpp"
#include "cli/report_files.hpp"
#include "cli/task_output.hpp"

namespace osiiso::cli {

/// What tells of a run while it goes on. Made before the queue, and outlives it.
struct View {
  /// Throws `UsageError` where the logs cannot be kept.
  View(const RunOptions& options, const ReportFiles& reports, LogNames log_names);

  /// Makes the queue call it.
  void listen(Hooks& hooks);
  /// Whether it is to `follow` the tasks of a run.
  bool follows_tasks() const { return logs.has_value(); }
  /// The tasks in submission order, before the run; those that are known.
  void follow(const std::vector<AnyTaskHandle>& tasks);
  /// Says what could not be shown or kept, and how the run ended besides; the exit code for that.
  /// The events go on.
  ExitCode finish(const std::string& what_happened);

  CiLog ci_log;
  std::unique_ptr<TaskOutput> output;
  std::optional<EventLog> events;
  std::optional<LogFolder> logs;
  Progress progress;
};

/// Has the progress told while the queue works.
class Telling {
 public:
  /// `is_total_known`: whether no more tasks will come; empty: they are all there.
  template <typename Queue>
  Telling(Progress& progress, const Queue& queue, const std::function<bool()>& is_total_known = {})
      : progress_(progress) {
    progress_.start({.stats = [&] { return queue.stats(); },
                     .running = [&] { return queue.running(); },
                     .is_total_known = is_total_known});
  }
  ~Telling() { progress_.stop(); }
  Telling(const Telling&) = delete;
  Telling& operator=(const Telling&) = delete;

 private:
  Progress& progress_;
};

}  // namespace osiiso::cli
