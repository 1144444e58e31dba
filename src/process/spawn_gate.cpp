// SPDX-License-Identifier: MIT
#include "process/spawn_gate.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>

#include "base/clock.hpp"

namespace osiiso::process {
namespace {

struct Gate {
  std::mutex mutex;
  std::condition_variable changed;
  int inside = 0;
  int closed = 0;                                       // by so many
  std::set<const std::atomic<int>*> half_started = {};  // not 0: not yet started

  bool is_empty() const {
    return inside == 0 && std::ranges::all_of(half_started, [](const auto* shares_memory) {
             return shares_memory->load(std::memory_order_acquire) == 0;
           });
  }
};

// Nobody tells when what is half started has executed.
constexpr std::chrono::milliseconds kBetweenLooks{1};

// Never destroyed: a thread may still start a process while the program exits.
Gate& gate() {
  static Gate* const only = new Gate;
  return *only;
}

}  // namespace

SpawnPass::SpawnPass() {
  std::unique_lock lock(gate().mutex);
  gate().changed.wait(lock, [] { return gate().closed == 0; });
  ++gate().inside;
}

SpawnPass::~SpawnPass() {
  const std::lock_guard lock(gate().mutex);
  --gate().inside;
  if (gate().closed > 0) gate().changed.notify_all();
}

HalfStarted::HalfStarted(const std::atomic<int>& shares_memory) : shares_memory_(shares_memory) {
  const std::lock_guard lock(gate().mutex);
  gate().half_started.insert(&shares_memory_);
}

HalfStarted::~HalfStarted() {
  const std::lock_guard lock(gate().mutex);
  gate().half_started.erase(&shares_memory_);
}

SpawnGateClosed::SpawnGateClosed(Duration patience) {
  std::unique_lock lock(gate().mutex);
  ++gate().closed;
  const base::Instant until = base::saturating_add(base::now(), patience);
  while (!gate().is_empty() && base::now() < until) {
    gate().changed.wait_for(lock, kBetweenLooks);
  }
  nobody_is_inside_ = gate().is_empty();
}

SpawnGateClosed::~SpawnGateClosed() {
  const std::lock_guard lock(gate().mutex);
  if (--gate().closed == 0) gate().changed.notify_all();
}

}  // namespace osiiso::process
