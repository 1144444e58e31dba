// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "osiiso/hooks.hpp"
#include "osiiso/task_handle.hpp"

#include "cli/ci_log.hpp"
#include "cli/exit_code.hpp"
#include "cli/options.hpp"

namespace osiiso::cli {

/// Shows what tasks print while the run goes on. Made before the queue, and outlives it.
class TaskOutput {
 public:
  /// What the command asks for; one that shows nothing where it asks for nothing. All goes to
  /// standard error where standard output is taken by a report.
  static std::unique_ptr<TaskOutput> make(const RunCommand& command, bool is_stdout_taken,
                                          const CiLog& log);
  virtual ~TaskOutput() = default;

  /// Makes the queue call it.
  virtual void listen(Hooks& /*hooks*/) {}
  /// The tasks in submission order, before the run.
  virtual void follow(const std::vector<AnyTaskHandle>& /*tasks*/) {}
  /// Says what could not be written, and how the run ended besides; the exit code for that.
  ExitCode finish(const std::string& what_happened);

 protected:
  /// `all_to_stderr`: standard output is for something else.
  explicit TaskOutput(bool all_to_stderr) : all_to_stderr_(all_to_stderr) {}

  int descriptor_of(OutputStream stream) const;
  /// Writes all of it in one piece.
  void write(int descriptor, std::string_view text);

 private:
  const bool all_to_stderr_;
  std::mutex mutex_;
  int error_ = 0;
};

}  // namespace osiiso::cli
