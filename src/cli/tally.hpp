// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "osiiso/hooks.hpp"
#include "osiiso/run_summary.hpp"

#include "cli/cancellations.hpp"
#include "cli/ending.hpp"
#include "report/output_budget.hpp"
#include "report/result_store.hpp"

namespace osiiso::cli {

/// What is kept of a stream of results that does not fit in memory: counts, and the first failures;
/// the rest is in a file where reports need it.
class Tally {
 public:
  /// Throws `UsageError` where there is no place for them.
  explicit Tally(bool stores_results);

  /// Most failures, and most tasks that left processes behind, that are kept; others are counted.
  static constexpr std::size_t kMostKept = 1'000;

  /// Makes the queue call it.
  void listen(Hooks& hooks);
  /// Adds what was kept. After the run.
  void hand_over(Ended& ended);

  std::size_t restored() const { return restored_; }

 private:
  void take(const ResultPtr& result);
  void store(const TaskResult& result);

  std::size_t restored_ = 0;
  std::size_t leaked_ = 0;
  Cancellations cancelled_;
  ResultList failures_;
  ResultList leaking_;
  report::OutputBudget output_{std::size_t{16} << 20};
  std::shared_ptr<report::ResultStore> store_;  // null: nobody needs it
  std::string error_;
};

}  // namespace osiiso::cli
