// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>

#include "bench/table.hpp"
#include "support/files.hpp"

namespace bench {

struct LimitSettings {
  std::size_t rounds = 5;
  std::size_t tasks = 100'000;  ///< the most in one run
  std::size_t sleepers = 5000;
  std::size_t mebibytes = 1024;  ///< of output of one task
  std::size_t samples = 200;     ///< of a reaction
  std::size_t functions = 1'000'000;
  std::string only;  ///< part of a section's name
  std::string json;
  std::string program;
  std::string noop;  ///< the cheapest command
};

using osiiso::test::TemporaryFolder;

/// Runs of 1,000, 100,000 and 1,000,000 commands: what a task costs must not grow with them.
Table measure_tasks(const LimitSettings& settings, const TemporaryFolder& folder);

/// As many commands at once as there are sleepers, on the async queue.
Table measure_sleepers(const LimitSettings& settings, const TemporaryFolder& folder);

/// One task that prints a lot.
Table measure_output(const LimitSettings& settings, const TemporaryFolder& folder);

/// How long after a timeout has passed, or `cancel()` was called, a command's task is final.
Table measure_reactions(const LimitSettings& settings, const TemporaryFolder& folder);

/// How many attempts start a second where a rate is given.
Table measure_rates(const LimitSettings& settings, const TemporaryFolder& folder);

/// Functions that do nothing, next to an Asio thread pool with futures and, where it is installed,
/// a TBB task group: time from the first submission, and memory.
Table measure_functions(const LimitSettings& settings, const TemporaryFolder& folder);

/// What a cancel costs, as the queue grows.
Table measure_cancels(const LimitSettings& settings, const TemporaryFolder& folder);

/// What it costs to record a success in a checkpoint, and to restore it.
Table measure_checkpoint(const LimitSettings& settings, const TemporaryFolder& folder);

/// Job files from memory to a plan, next to yaml-cpp's events with nobody to hear them.
Table measure_reading(const LimitSettings& settings, const TemporaryFolder& folder);

}  // namespace bench
