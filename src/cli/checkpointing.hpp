// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "osiiso/checkpoint.hpp"

#include "job/plan.hpp"

namespace osiiso::cli {

/// Has what the plan's tasks finish recorded in the checkpoint, and what was finished before
/// restored from it. Finally tasks are left out: they always run.
void record_in(Checkpoint& checkpoint, job::Plan& plan);

/// Says how much earlier runs had finished, if anything.
void say_restored(std::size_t restored, std::size_t total, const std::string& checkpoint_path);

/// Of each task of the plan, in its order, whether it would run and why; none: a finally task.
std::vector<std::optional<Checkpoint::Standing>> standings(const std::string& checkpoint_path,
                                                           const job::Plan& plan);

}  // namespace osiiso::cli
