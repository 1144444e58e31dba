// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "osiiso/run_summary.hpp"

#include "cli/cancellations.hpp"
#include "report/run_facts.hpp"

namespace osiiso::cli {

/// The log of the continuous integration service that this run is a step of, if it is one whose log
/// has commands and folded parts: GitHub Actions or GitLab CI. Elsewhere it does nothing.
///
/// While it lives, no line that a task printed is a command to the service: GitHub is told to take
/// none but those of this class, for GitLab the text is escaped.
///
/// The two streams reach the service on two ways, and overtake each other. So where both lead to
/// the log, both lead there on one way from now on; standard output that goes to a file or to
/// another program still does.
class CiLog {
 public:
  CiLog();
  ~CiLog() { end(); }
  CiLog(const CiLog&) = delete;
  CiLog& operator=(const CiLog&) = delete;

  bool exists() const { return service_ != Service::none; }
  /// Whether what is written there is part of the log.
  bool is_shown_by(int descriptor) const;

  /// What a task printed, so that it is nothing but text in the log.
  std::string made_safe(const std::string& printed) const;
  /// The same as a part of its own, folded under its title.
  std::string folded(const std::string& title, const std::string& printed) const;

  /// GitHub: marks why the run was cut short and the most telling failures, and writes the summary
  /// of the step.
  void tell(const RunSummary& summary, const report::RunFacts& facts, const ResultList& failures,
            const Cancellations& cancelled) const;

  /// Takes no more; the service obeys other programs again.
  void end();

 private:
  enum class Service { none, github, gitlab };

  static Service find_service();
  std::string resumed() const;
  std::string stopped() const;

  Service service_;
  bool is_stdout_shown_ = false;
  std::string token_;  // GitHub: whoever prints it has commands obeyed again
};

}  // namespace osiiso::cli
