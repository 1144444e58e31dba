// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "osiiso/duration.hpp"

#include "base/descriptor.hpp"
#include "process/spawn.hpp"
#include "process/task_processes.hpp"

namespace osiiso::process {

/// A command that has exited, and whose other processes are to live on (`Leak::keep`). It stays an
/// unreaped zombie, so that the number of its group keeps its meaning.
struct Kept {
  Child child;
  std::unique_ptr<TaskProcesses> processes;
};

/// Takes it over until the end of its run. What the processes still write to the pipes is read and
/// dropped, else a full or closed pipe would be their end. May be called from any thread. Takes
/// nothing where it throws.
void keep(const std::string& run_id, Kept&& kept, base::Descriptor&& stdout_pipe,
          base::Descriptor&& stderr_pipe);

/// Whether there is anything for `stop_kept`, which blocks.
bool any_kept(const std::string& run_id);

/// Ends all that the commands of this run have left: SIGTERM, the grace, SIGKILL. To be called when
/// the run is over. Returns how many commands there were. May be called from any thread.
std::size_t stop_kept(const std::string& run_id, Duration grace);

}  // namespace osiiso::process
