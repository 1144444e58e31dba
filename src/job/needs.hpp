// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <vector>

#include "osiiso/batch.hpp"

#include "job/diagnostics.hpp"
#include "job/option_fields.hpp"

namespace osiiso::job {

/// A batch that is being made, and where the file says what of it.
struct PlacedBatch {
  Batch batch;
  std::vector<Place> tasks;   ///< of each task
  std::vector<Place> groups;  ///< of each group
};

/// Needs of one place of a file, still as names.
struct NamedNeeds {
  enum class Of : std::uint8_t { task, group, defaults };

  Of of = Of::task;
  std::uint32_t index = 0;  ///< of the task or group in the batch; of `defaults` the file
  std::span<const RawNeed> needs;
};

/// Adds the needs to the batch, or says why that cannot be. A name means a task or group of its
/// own file, else of any. What `defaults` needs holds for every task of the file but those that
/// it names. Finally tasks neither need nor are needed. Cycles are told last.
void resolve_needs(std::span<const NamedNeeds> all, PlacedBatch& placed, Diagnostics& diagnostics);

}  // namespace osiiso::job
