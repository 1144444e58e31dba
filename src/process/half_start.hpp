// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

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
  ~HalfStart() { wait(); }
  HalfStart(const HalfStart&) = delete;
  HalfStart& operator=(const HalfStart&) = delete;

  /// What the C library's clone() is given.
  char* stack_top() { return stack_.data() + stack_.size(); }
  ChildPlan* plan() { return &plan_; }
  /// The word that the kernel clears when the child has executed, or is gone
  /// (CLONE_CHILD_CLEARTID).
  int* begin();
  /// There is no child.
  void cancel() { shares_memory_.store(0, std::memory_order_relaxed); }

  /// Whether the child needs this no more.
  bool is_over() const { return shares_memory_.load(std::memory_order_acquire) == 0; }
  /// Returns when that is so.
  void wait() const;

 private:
  std::vector<const char*> paths_;
  std::vector<const char*> argv_;
  std::vector<const char*> envp_;
  std::vector<const char*> fallback_;
  ChildPlan plan_;
  std::atomic<int> shares_memory_ = 0;
  const HalfStarted notice_{shares_memory_};
  // A few hundred bytes would do: the child calls nothing but the kernel.
  alignas(64) std::array<char, 8UL * 1024> stack_;
};

}  // namespace osiiso::process
