// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>

#include "osiiso/async_queue.hpp"
#include "osiiso/process_queue.hpp"
#include "osiiso/thread_queue.hpp"

#include "job/plan.hpp"

namespace osiiso::cli {

/// What `call` returns for the type of queue that the kind means, as `std::type_identity<Queue>`.
template <typename Call>
auto with_queue_type(job::QueueKind kind, Call call) {
  switch (kind) {
    case job::QueueKind::process:
      return call(std::type_identity<ProcessQueue>());
    case job::QueueKind::async:
      return call(std::type_identity<AsyncQueue>());
    default:
      return call(std::type_identity<ThreadQueue>());
  }
}

}  // namespace osiiso::cli
