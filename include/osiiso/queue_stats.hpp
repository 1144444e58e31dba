// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "osiiso/duration.hpp"

namespace osiiso {

/// What a queue has in hand at one moment.
struct QueueStats {
  std::size_t outstanding = 0;  ///< accepted and not final
  std::size_t running = 0;      ///< attempts under way
  std::uint64_t finished = 0;   ///< tasks that are final, since the queue was made
};

/// An attempt that is under way.
struct RunningTask {
  std::string task_id;
  std::string name;
  std::string group_id;     ///< empty: in no group
  int attempt = 1;          ///< from 1
  Duration running_for{0};  ///< since this attempt began
};

}  // namespace osiiso
