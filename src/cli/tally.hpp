// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>

#include "osiiso/hooks.hpp"
#include "osiiso/run_summary.hpp"

#include "cli/cancellations.hpp"
#include "cli/ending.hpp"
#include "cli/options.hpp"
#include "report/output_budget.hpp"
#include "report/result_store.hpp"

namespace osiiso::cli {

/// What is kept of the results of a run, which need not fit in memory: counts, and the failures;
/// the rest is in a store where reports need it.
class Tally {
 public:
  /// How much is kept, in order of the ends.
  struct Limits {
    std::size_t failures = static_cast<std::size_t>(-1);
    std::size_t output = static_cast<std::size_t>(-1);   ///< of the failures, bytes
    std::size_t leaking = static_cast<std::size_t>(-1);  ///< tasks that left processes behind
  };

  Tally(const RunOptions& options, Limits limits);

  /// Makes the queue call it.
  void listen(Hooks& hooks);
  /// Adds what was kept. After the run.
  void hand_over(Ended& ended);

  /// How many tasks an earlier run had finished.
  std::size_t restored() const { return restored_; }

 private:
  void take(const ResultPtr& result);
  void take_detached(const ResultPtr& result);
  void note_leaked(const ResultPtr& result);

  const Limits limits_;
  report::OutputBudget output_;
  std::size_t restored_ = 0;
  std::size_t leaked_ = 0;
  report::RunFacts::Counts detached_;
  Cancellations cancelled_;
  ResultList failures_;
  ResultList detached_failures_;
  ResultList leaking_;
  std::shared_ptr<report::ResultStore> store_;  // null: nobody needs it
};

}  // namespace osiiso::cli
