// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "process/spawn_gate.hpp"
#include "process/spawned.hpp"

namespace osiiso::process {

/// What a child uses of our memory until it has executed. It cannot be copied or moved: the child
/// knows where it is.
class HalfStart {
 public:
  /// The request must live as long.
  HalfStart(const SpawnRequest& request, int stdout_fd, int stderr_fd,
            std::uint64_t descriptor_limit);
  /// Waits.
  ~HalfStart();
  HalfStart(const HalfStart&) = delete;
  HalfStart& operator=(const HalfStart&) = delete;

  /// What the C library's clone() is given.
  char* stack_top();
  ChildPlan* plan() { return &plan_; }
  /// What the host does to its variables meanwhile is nothing to the child then.
  void own_environment();
  /// There will be a child at once. Returns the word that the kernel clears when it has executed,
  /// or is gone (CLONE_CHILD_CLEARTID).
  int* arm();
  /// There is none after all.
  void disarm() { shares_memory_.store(0, std::memory_order_relaxed); }

  /// Whether the child needs this no more.
  bool is_over() const { return shares_memory_.load(std::memory_order_acquire) == 0; }
  /// Returns when that is so.
  void wait() const;

 private:
  struct Room;
  class Rooms;

  std::unique_ptr<Room> room_;
  ChildPlan plan_;
  std::atomic<int> shares_memory_ = 0;
  std::optional<HalfStarted> notice_;
};

}  // namespace osiiso::process
