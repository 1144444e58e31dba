// SPDX-License-Identifier: MIT
#include "process/spawn_gate.hpp"

#include <condition_variable>
#include <mutex>

namespace osiiso::process {
namespace {

struct Gate {
  std::mutex mutex;
  std::condition_variable changed;
  int inside = 0;
  int closed = 0;  // by so many
};

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

SpawnGateClosed::SpawnGateClosed(Duration patience) {
  std::unique_lock lock(gate().mutex);
  ++gate().closed;
  nobody_is_inside_ = gate().changed.wait_for(lock, patience, [] { return gate().inside == 0; });
}

SpawnGateClosed::~SpawnGateClosed() {
  const std::lock_guard lock(gate().mutex);
  if (--gate().closed == 0) gate().changed.notify_all();
}

}  // namespace osiiso::process
