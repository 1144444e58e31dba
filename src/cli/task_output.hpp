// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "osiiso/error.hpp"
#include "osiiso/hooks.hpp"

#include "cli/ci_log.hpp"
#include "cli/exit_code.hpp"
#include "cli/options.hpp"

namespace osiiso::cli {

/// Shows what tasks print while the run goes on. Made before the queue, and outlives it.
class TaskOutput {
 public:
  /// What the command asks for; one that shows nothing where it asks for nothing. All goes to
  /// standard error where standard output is taken by a report.
  static std::unique_ptr<TaskOutput> make(const RunOptions& options, bool is_stdout_taken,
                                          const CiLog& log);
  virtual ~TaskOutput() = default;

  /// Makes the queue call it.
  virtual void listen(Hooks& /*hooks*/) {}
  /// How many tasks have ended whose output waits for that of another.
  virtual std::size_t waiting() const { return 0; }
  /// Says what could not be written, and how the run ended besides; the exit code for that.
  ExitCode finish(const std::string& what_happened);

 protected:
  /// `all_to_stderr`: standard output is for something else.
  explicit TaskOutput(bool all_to_stderr) : all_to_stderr_(all_to_stderr) {}

  int descriptor_of(OutputStream stream) const;
  /// Writes all of it in one piece.
  void write(int descriptor, std::string_view text);
  /// Something of the output is lost. Thread-safe.
  void fail(const SystemError& error);

 private:
  const bool all_to_stderr_;
  std::mutex error_mutex_;
  std::string error_;  // the first one
};

}  // namespace osiiso::cli
