// SPDX-License-Identifier: MIT
#include "cli/reactions.hpp"

#include <string>

#include "base/clock.hpp"
#include "base/format.hpp"
#include "base/text.hpp"
#include "cli/result_stream.hpp"

namespace osiiso::cli {

void say_running(const std::vector<RunningTask>& tasks, const QueueStats& stats) {
  std::string text;
  for (const auto& task : tasks) {
    text += base::format("osiiso: running: {}", base::escape_controls(task.name));
    if (task.attempt > 1) text += base::format(" (attempt {})", task.attempt);
    text += base::format(", {:.1f}s\n", base::in_seconds(task.running_for));
  }
  text += base::format("osiiso: {} running, {} waiting, {} finished\n", stats.running,
                       stats.outstanding - stats.running, stats.finished);
  say_raw(text);
}

}  // namespace osiiso::cli
