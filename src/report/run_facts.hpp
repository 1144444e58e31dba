// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "osiiso/task_result.hpp"

namespace osiiso::report {

class StoredResults;

/// What the reports tell beyond a `RunSummary`.
struct RunFacts {
  struct Counts {
    std::size_t total = 0;
    std::size_t succeeded = 0;
    std::size_t failed = 0;
    std::size_t cancelled = 0;

    void add(Status status) {
      ++total;
      if (status == Status::succeeded) ++succeeded;
      if (status == Status::failed) ++failed;
      if (status == Status::cancelled) ++cancelled;
    }
  };

  std::string name = {};  // of the run
  std::chrono::system_clock::time_point started_at = {};
  std::optional<int> interrupted_by = {};  // the signal that ended the run early
  Counts detached = {};
  std::size_t leaked = 0;           // processes that tasks left behind
  std::size_t restored_let_go = 0;  // restored tasks that the summary does not hold

  // Where the results are; null: in the summary.
  std::shared_ptr<const StoredResults> stored = {};
  std::shared_ptr<const StoredResults> stored_restored = {};
};

}  // namespace osiiso::report
