// SPDX-License-Identifier: MIT
#include "process/run.hpp"

#include <array>

#include "base/clock.hpp"
#include "process/task_processes.hpp"

namespace osiiso::process {

void run_to_end(ChildRun& child, base::StopSource& stops) {
  OrphanCare care;
  while (!child.done()) {
    std::array<pollfd, 4> waited{{
        {stops.descriptor(), POLLIN, 0},
        {child.stdout_descriptor(), POLLIN, 0},
        {child.stderr_descriptor(), POLLIN, 0},
        {child.exit_descriptor(), POLLIN, 0},
    }};
    base::poll_until(waited, base::earlier(child.deadline(), care.deadline()));

    const base::Instant now = base::now();
    care.on_deadline(now);
    if (waited[0].revents != 0) {
      if (const auto request = stops.take()) child.stop(*request, now);
    }
    for (const pollfd& one : waited) {
      if (one.revents != 0) child.on_readable(one.fd, now);
    }
    child.on_deadline(now);
  }
}

}  // namespace osiiso::process
