// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "osiiso/batch.hpp"

namespace osiiso::job {

/// Indices of the batch's tasks in the order in which one worker would start them if every task
/// succeeded at once: by delay, then priority, then submission, and never before what they need.
/// The batch has no cycle. Linear but for a heap.
std::vector<std::uint32_t> start_order(const Batch& batch);

}  // namespace osiiso::job
