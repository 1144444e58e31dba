// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "osiiso/error.hpp"

#include "job/job.hpp"
#include "report/report.hpp"

namespace osiiso::cli {

/// The command line is not one of ours; the text says what is wrong with it.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// What of the tasks' output is shown.
enum class Output { failed, grouped, tagged, none };

/// `--report KIND=FILE`
struct ReportRequest {
  report::Kind kind;
  std::string file;  ///< a path; `-`: standard output
};

struct RunCommand {
  std::vector<std::string> jobs;
  job::Overrides overrides;
  job::Selection selection;
  Output output = Output::failed;
  std::string checkpoint;  ///< a path; empty: none
  std::vector<ReportRequest> reports;
  bool json = false;
  bool dry_run = false;
  bool parent_watch = false;
  bool quiet = false;
  bool verbose = false;
};

struct CheckCommand {
  std::vector<std::string> jobs;
};

struct PlanCommand {
  std::vector<std::string> jobs;
  job::Overrides overrides;
  job::Selection selection;
  std::string checkpoint;  ///< a path; empty: none
  bool json = false;
};

struct ReportCommand {
  std::string summary;  ///< the path of a JSON summary; `-`: standard input
  std::vector<ReportRequest> reports;
  bool json = false;
};

struct SchemaCommand {};

/// A text to be printed on standard output, and nothing else to be done.
struct ShowText {
  std::string text;
};

using CommandLine =
    std::variant<RunCommand, CheckCommand, PlanCommand, ReportCommand, SchemaCommand, ShowText>;

/// Reads the command line and its twins in the environment. Throws `UsageError`.
CommandLine parse_command_line(int argc, char** argv);

}  // namespace osiiso::cli
