// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "base/whole_file.hpp"
#include "cli/exit_code.hpp"
#include "cli/options.hpp"
#include "report/report.hpp"

namespace osiiso::cli {

/// Where the reports of a run go: to the files that were asked for, and one to standard output,
/// which is the text unless another one was asked for. Where standard output is for what the tasks
/// print or for events, the text goes to standard error.
class ReportFiles {
 public:
  /// Throws `Error` where it cannot be had.
  using Render = std::function<void(std::ostream& out, report::Kind kind)>;

  /// `stdout_is_taken`: by what is written there while the run goes on. Throws `UsageError` for a
  /// file that could not be written, or would be written twice.
  ReportFiles(const std::vector<ReportRequest>& requests, bool json, bool stdout_is_taken = false);

  /// Whether a report that was asked for goes to standard output.
  bool use_stdout() const { return on_stdout_.has_value(); }

  /// Whether a report goes to this file.
  bool has(const std::string& path) const;
  /// Throws `UsageError` if a report would replace this file, which is called `what`.
  void refuse(const std::string& path, const std::string& what) const;

  /// Writes all of them, the files first. What cannot be written is said, with `what_happened`
  /// behind it. The text goes to standard error where a report for a program, or nothing, could be
  /// written to standard output.
  ExitCode write(const Render& render, const std::string& what_happened = {}) const;

 private:
  struct File {
    report::Kind kind;
    base::WholeFile file;
  };

  void add(const ReportRequest& request);
  void use_stdout_for(report::Kind kind);

  std::vector<File> files_;
  std::optional<report::Kind> on_stdout_;
  const bool stdout_is_taken_;
};

}  // namespace osiiso::cli
