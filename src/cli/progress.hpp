// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "osiiso/hooks.hpp"
#include "osiiso/queue_stats.hpp"

#include "base/clock.hpp"
#include "cli/options.hpp"

namespace osiiso::cli {

/// Tells on standard error how a run is getting on: on a terminal by a few lines that are redrawn
/// in place, elsewhere by a line every half minute. A thread of its own does, from the moment when
/// there is first something to tell: most runs are over before.
class Progress {
 public:
  explicit Progress(const RunOptions& options);
  ~Progress() { stop(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  struct Source {
    std::function<QueueStats()> stats;
    std::function<std::vector<RunningTask>()> running;
    std::function<bool()> is_total_known = {};  ///< empty: from the beginning
  };

  /// Makes the queue call it, before the queue is made.
  void listen(Hooks& hooks);
  /// Begins to tell, once it is due. The source must live until `stop`.
  void start(Source source);
  /// From the beginning to the first thing that is told, and between two of them.
  Duration pause() const;
  /// To be called, once, when that has passed. On any thread.
  void note_due();
  /// Takes away what it has drawn. Harmless where it was not started.
  void stop();

 private:
  enum class Style { none, lines, bar };

  static Style style_of(const RunOptions& options);
  void tell_finished(const TaskResult& result);
  void start_thread();
  void work();
  void tell();
  bool is_total_known() const { return !source_.is_total_known || source_.is_total_known(); }
  std::string bar() const;
  std::string counts(const QueueStats& stats, std::size_t width) const;

  const Style style_;
  const bool is_verbose_;
  const bool has_colours_;
  std::atomic<std::uint64_t> failed_ = 0;
  std::atomic<bool> is_halted_ = false;  // by a signal

  // Fixed before the thread starts.
  Source source_;
  base::Instant started_at_{};
  std::uint64_t finished_before_ = 0;

  std::mutex mutex_;
  std::condition_variable stopped_;
  bool is_started_ = false;
  bool is_due_ = false;
  bool is_stopped_ = false;
  std::thread thread_;
};

}  // namespace osiiso::cli
