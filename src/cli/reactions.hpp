// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "osiiso/queue_stats.hpp"

#include "cli/ci.hpp"
#include "cli/console.hpp"
#include "cli/progress.hpp"
#include "cli/signals.hpp"

namespace osiiso::cli {

// Continuous integration services kill a step some ten seconds after they cancelled it, the most
// impatient after 7.5: ordinary tasks get this long, and the whole shutdown that long.
constexpr Duration kCiGrace = std::chrono::seconds(3);
constexpr Duration kCiPatience = std::chrono::seconds(6);

/// Answers SIGUSR1.
void say_running(const std::vector<RunningTask>& tasks, const QueueStats& stats);

/// What signals do to a run of this queue, and time to what is told of it.
template <typename Queue>
SignalWatch::Reactions reactions_of(Queue& queue, Progress& progress) {
  SignalWatch::Reactions reactions;
  const bool ci = in_ci();
  reactions.first = [&queue, ci](int signal) {
    console().hurry();
    queue.halt(signal, ci ? std::optional(kCiGrace) : std::nullopt);
  };
  reactions.again = [&queue] { queue.kill(); };
  reactions.status = [&queue] { say_running(queue.running(), queue.stats()); };
  if (ci) reactions.patience = kCiPatience;
  reactions.later = [&progress] { progress.note_due(); };
  reactions.after = progress.pause();
  return reactions;
}

}  // namespace osiiso::cli
