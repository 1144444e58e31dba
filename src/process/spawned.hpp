// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "process/spawn.hpp"

namespace osiiso::process {

/// What a child is to do, and how far it came: plain data that parent and child both see, since
/// they share memory until it has executed.
struct ChildPlan {
  const char* const* paths;  // ended by a null, like the three below
  const char** argv;         // with one free place in front
  const char* const* envp;
  const char* const* fallback;  // or null
  const char* cwd;              // or null
  int descriptors[3];
  SignalSet changed_signals;
  std::uint64_t descriptor_limit;  // or kInheritLimit
  // Written by the child where a step fails; it is reported by the number of the step.
  SpawnStep step;
  int error_number;
  bool is_fallback;
};

constexpr std::uint64_t kInheritLimit = ~std::uint64_t{0};

/// What the child runs, with all signals blocked; `plan` is its `ChildPlan`. Does not return.
int run_child(void* plan);

}  // namespace osiiso::process
