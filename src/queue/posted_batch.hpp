// SPDX-License-Identifier: MIT
#pragma once

#include <any>
#include <cstddef>
#include <cstdint>
#include <forward_list>
#include <list>
#include <memory>
#include <utility>
#include <vector>

#include "osiiso/batch.hpp"

#include "queue/record.hpp"

namespace osiiso::queue {

/// A batch whose tasks wait as they were handed in. A record takes ten times as much memory, so
/// one is made of a task only when there is something to note about it.
struct PostedBatch {
  std::forward_list<Batch::TaskTraits> traits;  // without options once they are accepted
  std::vector<Batch::TaskEntry> tasks;
  std::vector<GroupPtr> groups = {};
  /// The options of the tasks from a position on, for the core until a record keeps its own.
  std::vector<std::pair<std::size_t, std::shared_ptr<const OptionSet>>> sets = {};
  std::uint64_t first_number = 0;
  Instant submitted_at{};
  std::size_t users = 1;  // tasks without a record, and whoever hands the batch in

  const std::shared_ptr<const OptionSet>& set_of(std::size_t task) const;
};

using PostedBatches = std::list<PostedBatch>;

/// Where a task without a record is.
struct Posted {
  PostedBatches::iterator batch;
  std::uint32_t task;
};

/// A task of a batch that an earlier run has finished.
struct RestoredTask {
  std::size_t task;
  std::any value;
};

}  // namespace osiiso::queue
