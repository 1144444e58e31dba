// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include "osiiso/async_queue.hpp"
#include "osiiso/process_queue.hpp"
#include "osiiso/thread_queue.hpp"

namespace bench {

/// Runs what was submitted to a queue of any kind.
inline osiiso::RunSummary finish(osiiso::SyncQueue& queue) {
  return queue.run();
}
inline osiiso::RunSummary finish(osiiso::AsyncQueue& queue) {
  return osiiso::run(queue.run());
}

/// Calls `measure.operator()<Queue>(name)` for each kind of queue.
template <typename Measure>
void with_each_queue(Measure&& measure) {
  measure.template operator()<osiiso::ThreadQueue>("thread queue");
  measure.template operator()<osiiso::ProcessQueue>("process queue");
  measure.template operator()<osiiso::AsyncQueue>("async queue");
}

}  // namespace bench
