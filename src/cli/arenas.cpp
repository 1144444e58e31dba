// SPDX-License-Identifier: MIT
#include "cli/arenas.hpp"

#include <malloc.h>

#include <algorithm>

namespace osiiso::cli {

void set_arenas([[maybe_unused]] int workers) {
#ifdef M_ARENA_MAX
  constexpr int kWorkersOfOne = 4;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the other threads of the program only wait so far
  ::mallopt(M_ARENA_MAX, std::max(1, workers / kWorkersOfOne));
#endif
}

}  // namespace osiiso::cli
