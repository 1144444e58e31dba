// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace osiiso {

/// What a queue has in hand at one moment.
struct QueueStats {
  std::size_t outstanding = 0;  ///< accepted and not final
  std::size_t running = 0;      ///< attempts under way
  std::uint64_t finished = 0;   ///< tasks that are final, since the queue was made
};

}  // namespace osiiso
