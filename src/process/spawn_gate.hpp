// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>

#include "osiiso/duration.hpp"

namespace osiiso::process {

/// Held by a thread while it starts a process. Waits as long as the gate is closed.
class SpawnPass {
 public:
  SpawnPass();
  ~SpawnPass();
  SpawnPass(const SpawnPass&) = delete;
  SpawnPass& operator=(const SpawnPass&) = delete;
};

/// Held beside a process that is half started without a thread that waits for it.
class HalfStarted {
 public:
  /// `shares_memory` is not 0 until it is started.
  explicit HalfStarted(const std::atomic<int>& shares_memory);
  ~HalfStarted();
  HalfStarted(const HalfStarted&) = delete;
  HalfStarted& operator=(const HalfStarted&) = delete;

 private:
  const std::atomic<int>& shares_memory_;
};

/// Closes the gate while it lives: no process is started then. One that is half started shares our
/// memory, and a thread may wait for it: stopped at that moment, it would hold us for ever, and it
/// would escape from whoever kills what is there.
class SpawnGateClosed {
 public:
  /// Waits until nobody is inside, at most that long.
  explicit SpawnGateClosed(Duration patience);
  ~SpawnGateClosed();
  SpawnGateClosed(const SpawnGateClosed&) = delete;
  SpawnGateClosed& operator=(const SpawnGateClosed&) = delete;

  bool nobody_is_inside() const { return nobody_is_inside_; }

 private:
  bool nobody_is_inside_;
};

}  // namespace osiiso::process
