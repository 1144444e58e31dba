// SPDX-License-Identifier: MIT
#pragma once

#include "osiiso/command.hpp"

#include "base/descriptor.hpp"
#include "base/stop_state.hpp"
#include "process/child_run.hpp"
#include "process/launch_pad.hpp"

namespace osiiso::process {

/// What an attempt comes to: the output where the command succeeded, else throws `CommandError`
/// with the text that reports show.
CommandOutput conclude(ChildResult result, const CommandSettings& settings);

/// Runs commands one after the other, and keeps for the next one what the last one needed, too. Not
/// thread-safe.
class CommandRunner {
 public:
  /// As calling the command.
  CommandOutput run(const Command& command, const TaskContext& context);
  /// Hears of stop requests there.
  CommandOutput run(const Command& command, const TaskContext& context, base::StopSource& stops);
  /// Keeps nothing: while no command comes, others may need the descriptors.
  void let_go();

 private:
  LaunchPad pad_;
  base::Descriptor stop_event_;
};

}  // namespace osiiso::process
