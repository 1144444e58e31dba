// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "process/spawn.hpp"

namespace osiiso::process {

/// What the commands that are started one after the other have in common, so that it is opened, or
/// asked of the kernel, once for many. Not thread-safe.
class LaunchPad {
 public:
  /// Open for reading as long as this object lives. Throws `SystemError`.
  int null_device();
  /// What `changed_signals()` said within the last ten milliseconds, and those that programs do
  /// ignore and handle.
  SignalSet signals_to_reset();

 private:
  base::Descriptor null_device_;
  SignalSet signals_ = 0;
  std::optional<base::Instant> asked_at_;
};

}  // namespace osiiso::process
