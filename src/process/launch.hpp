// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "osiiso/command.hpp"
#include "osiiso/task_context.hpp"

#include "base/descriptor.hpp"
#include "process/environment.hpp"
#include "process/launch_pad.hpp"
#include "process/spawn.hpp"

namespace osiiso::process {

/// One attempt of a command, made ready to be started.
class Launch {
 public:
  /// The context, and the pad, must live as long as what is started with this. Opens what the
  /// command shall read. Throws `SystemError` that names it, or `OptionError` where a setting
  /// cannot be.
  Launch(const Command& command, const TaskContext& context, LaunchPad& pad);

  /// All that a spawn needs but where the output goes. Valid as long as this object.
  const SpawnRequest& request() const { return request_; }
  /// The program is executed in place of the shell that was to start it.
  bool does_without_shell() const { return !shell_words_.empty(); }
  Leak leak() const { return leak_; }
  /// What its processes have from the first signal to SIGKILL.
  Duration grace() const { return grace_; }
  /// What its processes are known by, see `task_mark`.
  const std::string& mark() const { return mark_; }
  const std::string& run_id() const { return run_id_; }
  const TaskContext& context() const { return *context_; }

 private:
  Environment environment_;
  std::vector<std::string> words_;
  std::vector<std::string> shell_words_;  // where `words_` are those of a simple command string
  base::Descriptor stdin_;                // none: the null device
  SpawnRequest request_;
  Leak leak_;
  Duration grace_;
  std::string mark_;
  std::string run_id_;
  const TaskContext* context_;
};

}  // namespace osiiso::process
