// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "osiiso/batch.hpp"
#include "osiiso/queue_options.hpp"

namespace osiiso::job {

enum class QueueKind { thread, process, async };

/// What job files say, checked and complete: ready to be handed to a queue.
struct Plan {
  std::string name;
  QueueKind kind = QueueKind::thread;
  QueueOptions queue;
  Batch batch;
  std::vector<std::string> folders;  ///< of the files, absolute: what relative paths start from
};

}  // namespace osiiso::job
