// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "process/spawn.hpp"

namespace osiiso::process {

// The kernel's own layouts: the C library hides two real-time signals from its users, and its
// sigaction() is intercepted by sanitizers.
constexpr int kSignals = 64;
static_assert(sizeof(SignalSet) * 8 == kSignals);
struct KernelAction {
  std::uintptr_t handler;
  unsigned long flags;
  std::uintptr_t restorer;
  SignalSet mask;
};

}  // namespace osiiso::process
