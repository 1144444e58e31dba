// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "osiiso/error.hpp"

#include "cli/console.hpp"
#include "cli/event_target.hpp"
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

/// Whether that is everything, as it comes.
constexpr bool shows_all(Output output) {
  return output == Output::grouped || output == Output::tagged;
}

/// `--report KIND=FILE`
struct ReportRequest {
  report::Kind kind;
  std::string file;  ///< a path; `-`: standard output
};

/// How it is told on standard error how a run is getting on.
enum class ProgressStyle { automatic, bar, lines, none };

/// What can be said of a run, wherever its tasks come from.
struct RunOptions {
  job::Overrides overrides;
  Output output = Output::failed;
  ProgressStyle progress = ProgressStyle::automatic;
  Colour colour = Colour::automatic;
  std::string log_dir;     ///< a path; empty: none
  std::string checkpoint;  ///< a path; empty: none
  std::optional<EventTarget> events;
  std::vector<ReportRequest> reports;
  bool json = false;
  bool dry_run = false;
  bool parent_watch = false;
  bool quiet = false;
  bool verbose = false;
};

struct RunCommand : RunOptions {
  std::vector<std::string> jobs;
  job::Selection selection;
};

/// One command over inputs.
struct MapCommand : RunOptions {
  MapCommand() { output = Output::grouped; }

  std::vector<std::string> words;                  ///< one: for a shell; several: an argv
  std::optional<std::vector<std::string>> inputs;  ///< that stand on the command line
  std::string input_file;                          ///< a path; empty or `-`: standard input
  bool is_nul_separated = false;                   ///< else the inputs are lines
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

struct SchemaCommand {
  enum class Of { job, events } of = Of::job;
};

/// What the completions of shells ask: what could stand at one place of a command line.
struct CompleteCommand {
  std::vector<std::string> words;  ///< without the program's name
  std::size_t index = 0;           ///< of the word to complete; it can be one past the last
};

/// A text to be printed on standard output, and nothing else to be done.
struct ShowText {
  std::string text;
};

using CommandLine = std::variant<RunCommand, MapCommand, CheckCommand, PlanCommand, ReportCommand,
                                 SchemaCommand, CompleteCommand, ShowText>;

/// An option of a command, as its help describes it.
struct OptionFacts {
  std::vector<std::string> names;  ///< `-j`, `--workers`; none: what stands without an option
  std::string value_name;          ///< empty: a flag
  std::string description;
  std::vector<std::string> words;  ///< that the value can be or, ending with `=`, begin with
};

/// The names of the commands.
std::span<const std::string_view> command_names();

/// The options of a command; none where there is no such command.
std::vector<OptionFacts> options_of(std::string_view command);

/// The option of this name, or null.
const OptionFacts* find_option(std::span<const OptionFacts> options, std::string_view name);

/// The index of the first word that is neither an option nor the value of one; the first word of
/// all is the command's name. `--` ends the options, and is none.
std::size_t first_operand(std::span<const std::string> words, std::span<const OptionFacts> options);

/// Reads the command line and its twins in the environment. Throws `UsageError`.
CommandLine parse_command_line(int argc, char** argv);

}  // namespace osiiso::cli
