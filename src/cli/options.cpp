// SPDX-License-Identifier: MIT
#include "cli/options.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <span>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "osiiso/version.hpp"

#include "base/format.hpp"
#include "base/text.hpp"
#include "cli/help_text.hpp"
#include "cli/option_adder.hpp"
#include "cli/option_values.hpp"

namespace osiiso::cli {
namespace {

constexpr std::array<std::string_view, 6> kCommands = {"run",  "map",    "check",
                                                       "plan", "report", "schema"};

constexpr std::string_view kInputsMark = ":::";
constexpr std::string_view kFileInputsMark = "::::";  // that of others

/// Refuses values that no queue or task takes, here where they can be blamed on the command line.
void check_rules(const job::Overrides& overrides) {
  try {
    validate(job::queue_options(overrides));
    validate(job::task_options(overrides));
  } catch (const OptionError& error) {
    throw UsageError(error.what());
  }
}

void add_queue_options(OptionAdder& options, job::Overrides& overrides) {
  options.begin_section("The run");
  options.add("--queue", "KIND", "thread (default), process or async", [&](auto option, auto text) {
    overrides.kind = parse_word<job::QueueKind>(option, text,
                                                {{"thread", job::QueueKind::thread},
                                                 {"process", job::QueueKind::process},
                                                 {"async", job::QueueKind::async}});
  });
  options.add("-j,--workers", "N|auto", "tasks at the same time (auto: one a processor)",
              [&](auto option, auto text) {
                job::Overrides::Workers workers;
                if (text != "auto") workers.number = parse_number<int>(option, text);
                overrides.workers = workers;
              });
  options.add("--size", "N", "most outstanding tasks, 0: no bound", [&](auto option, auto text) {
    overrides.size = parse_number<std::int64_t>(option, text);
  });
  options.add("--timeout", "DURATION", "limit for the whole run; for one attempt: --task-timeout",
              [&](auto option, auto text) { overrides.timeout = parse_time(option, text); });
  // Two names for one thing: what is read first stays, so that the command line still wins.
  const auto set_fail_policy = [&](FailPolicy policy) {
    if (!overrides.fail_policy) overrides.fail_policy = policy;
  };
  options.add("--fail-policy", "POLICY", "continue (default) or fail_first",
              [set_fail_policy](auto option, auto text) {
                set_fail_policy(parse_word<FailPolicy>(
                    option, text,
                    {{"continue", FailPolicy::continue_}, {"fail_first", FailPolicy::fail_first}}));
              });
  options.flag("--fail-fast", "short for --fail-policy fail_first", [set_fail_policy](bool is_on) {
    if (is_on) set_fail_policy(FailPolicy::fail_first);
  });
  options.add("--on-timeout", "POLICY", "complete (default) or cancel: must_complete tasks then",
              [&](auto option, auto text) {
                overrides.on_timeout = parse_word<OnTimeout>(
                    option, text,
                    {{"complete", OnTimeout::complete}, {"cancel", OnTimeout::cancel}});
              });
  options.add("--rate", "N", "attempts started per second",
              [&](auto option, auto text) { overrides.rate = parse_number<double>(option, text); });
  options.add("--burst", "N", "attempts that may start at once after an idle time",
              [&](auto option, auto text) { overrides.burst = parse_number<int>(option, text); });
  options.add("--grace", "DURATION", "from SIGTERM to SIGKILL (default 5s)",
              [&](auto option, auto text) { overrides.grace = parse_time(option, text); });
}

void add_task_defaults(OptionAdder& options, job::Overrides& overrides) {
  options.begin_section("Tasks, where the job file says nothing");
  options.add("--retries", "N", "further attempts after a failed one (default 0)",
              [&](auto option, auto text) { overrides.retries = parse_number<int>(option, text); });
  options.add("--retry-delay", "DURATION", "wait before the first retry",
              [&](auto option, auto text) { overrides.retry_delay = parse_time(option, text); });
  options.add(
      "--backoff", "FACTOR", "what the wait is multiplied by for each further retry",
      [&](auto option, auto text) { overrides.backoff = parse_number<double>(option, text); });
  options.add("--task-timeout", "DURATION", "limit of each attempt",
              [&](auto option, auto text) { overrides.task_timeout = parse_time(option, text); });
  options.add("--priority", "N", "lower starts first (default 3)", [&](auto option, auto text) {
    overrides.priority = parse_number<int>(option, text);
  });
}

void add_selection(CLI::App& app, OptionAdder& options, job::Selection& selection) {
  options.begin_section("Selection");
  app.add_option("-g,--group", selection.group_globs,
                 "run the groups of these names only (repeatable)")
      ->option_text("GLOB")
      ->allow_extra_args(false);
  app.add_option("-t,--task", selection.task_globs,
                 "run the tasks of these names only (repeatable)")
      ->option_text("GLOB")
      ->allow_extra_args(false);
}

void add_jobs(CLI::App& app, std::vector<std::string>& jobs) {
  app.add_option("JOB", jobs, "job files; - is standard input")->option_text("...")->required();
}

void add_checkpoint(OptionAdder& options, std::string& checkpoint, const std::string& description) {
  options.add("--checkpoint", "FILE", description,
              [&](auto option, auto text) { checkpoint = parse_path(option, text, "file"); });
}

void add_reports(OptionAdder& options, std::vector<ReportRequest>& reports) {
  options.each("--report", "KIND=FILE",
               base::format("{}; - is standard output (repeatable)", list_report_kinds("or")),
               [&](auto option, auto text) { reports.push_back(parse_report(option, text)); });
}

void add_presentation(OptionAdder& options, RunOptions& run) {
  options.begin_section("What is shown");
  options.add("--output", "WHAT", "the tasks' output: failed (default), grouped, tagged or none",
              [&](auto option, auto text) {
                run.output = parse_word<Output>(option, text,
                                                {{"failed", Output::failed},
                                                 {"grouped", Output::grouped},
                                                 {"tagged", Output::tagged},
                                                 {"none", Output::none}});
              });
  options.add("--progress", "HOW", "auto (default), bar, lines or none",
              [&](auto option, auto text) {
                run.progress = parse_word<ProgressStyle>(option, text,
                                                         {{"auto", ProgressStyle::automatic},
                                                          {"bar", ProgressStyle::bar},
                                                          {"lines", ProgressStyle::lines},
                                                          {"none", ProgressStyle::none}});
              });
  options.add("--color", "WHEN", "auto (default), always or never", [&](auto option, auto text) {
    run.colour = parse_word<Colour>(
        option, text,
        {{"auto", Colour::automatic}, {"always", Colour::always}, {"never", Colour::never}});
  });
  options.flag("-v,--verbose", run.verbose, "say of each task how it ended");
  options.flag("-q,--quiet", run.quiet, "say only errors and the result");
}

void add_run_flags(OptionAdder& options, RunOptions& run) {
  options.flag("--parent-watch", run.parent_watch,
               "end as by SIGTERM when the parent process dies (CI: always)");
  options.flag("--dry-run", run.dry_run, "show the plan, run nothing");
}

/// What is shown and kept of a run.
void add_outcome_options(OptionAdder& options, RunOptions& run) {
  options.begin_section("Results");
  options.flag("--json", run.json, "print the summary as JSON");
  add_reports(options, run.reports);
  add_checkpoint(options, run.checkpoint,
                 "skip what an earlier run finished, record what this one does");
  options.add("--log-dir", "DIR", "keep the full output of each attempt: DIR/TASK/ATTEMPT/stdout",
              [&](auto option, auto text) { run.log_dir = parse_path(option, text, "folder"); });
  options.add("--events", "FILE|fd:N", "write what happens as it happens, a JSON object a line",
              [&](auto option, auto text) { run.events.emplace(option, text); });
  add_presentation(options, run);
}

OptionAdder define(CLI::App& app, RunCommand& run) {
  OptionAdder options(app);
  add_jobs(app, run.jobs);
  add_queue_options(options, run.overrides);
  add_run_flags(options, run);
  add_task_defaults(options, run.overrides);
  add_selection(app, options, run.selection);
  add_outcome_options(options, run);
  return options;
}

OptionAdder define(CLI::App& app, MapCommand& map) {
  OptionAdder options(app);
  // For the help; what stands there is taken before the options are parsed.
  app.add_option("COMMAND", map.words,
                 "one word: a text for the shell; several: a program and its arguments")
      ->option_text("... [::: INPUT...]");
  options.begin_section("Inputs");
  options.add("-a,--arg-file", "FILE", "read the inputs from this file; - is standard input",
              [&](auto option, auto text) { map.input_file = parse_path(option, text, "file"); });
  options.flag("-0,--null", map.is_nul_separated, "inputs end with NUL instead of a newline");
  add_queue_options(options, map.overrides);
  add_run_flags(options, map);
  add_task_defaults(options, map.overrides);
  add_outcome_options(options, map);
  return options;
}

OptionAdder define(CLI::App& app, CheckCommand& check) {
  add_jobs(app, check.jobs);
  return OptionAdder(app);
}

OptionAdder define(CLI::App& app, PlanCommand& plan) {
  OptionAdder options(app);
  add_jobs(app, plan.jobs);
  add_queue_options(options, plan.overrides);
  add_task_defaults(options, plan.overrides);
  add_selection(app, options, plan.selection);
  options.begin_section("Results");
  add_checkpoint(options, plan.checkpoint, "say of each task whether it would run, and why");
  options.flag("--json", plan.json, "print the plan as JSON");
  return options;
}

OptionAdder define(CLI::App& app, ReportCommand& report) {
  OptionAdder options(app);
  app.add_option("FILE", report.summary,
                 "what --json or --report json=FILE wrote; - is standard input")
      ->option_text(" ")
      ->required();
  add_reports(options, report.reports);
  options.flag("--json", report.json, "print the summary as JSON");
  return options;
}

OptionAdder define(CLI::App& app, SchemaCommand& schema) {
  OptionAdder options(app);
  options.operand("OF", "job (the default) or events: a line of what run --events writes",
                  [&](auto operand, auto text) {
                    schema.of = parse_word<SchemaCommand::Of>(
                        operand, text,
                        {{"job", SchemaCommand::Of::job}, {"events", SchemaCommand::Of::events}});
                  });
  return options;
}

/// What is near a word that is no option of the command, or what it is called elsewhere; or empty.
std::string meant_option(const CLI::App& app, const std::string& word) {
  for (const std::string_view foreign : {"--jobs", "--max-procs", "-P"}) {
    const bool is_it = foreign.size() == 2 ? word.starts_with(foreign) : word == foreign;
    if (is_it && app.get_option_no_throw("--workers") != nullptr) return "--workers";
  }
  std::vector<std::string> names;
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  }
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  return std::string(base::nearest(word, candidates).value_or(""));
}

/// Says in our words what is wrong with words that are none of the command's.
std::string unexpected(const CLI::App& app) {
  const auto words = app.remaining();
  const std::string word = words.empty() ? std::string() : words.front();
  std::string text = base::format("there is no option '{}'", word);
  const auto meant = meant_option(app, word.substr(0, word.find('=')));
  if (!meant.empty()) text += base::format("; did you mean '{}'?", meant);
  return text;
}

std::string explain(const CLI::App& app, const CLI::ParseError& error) {
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) return unexpected(app);
  std::string text = error.what();
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) == nullptr) return text;
  // CLI11 begins with the option's name, now and then without its dashes.
  std::string name = text.substr(0, text.find_first_of(": "));
  if (!name.starts_with('-')) name.insert(0, name.size() > 1 ? "--" : "-");
  return name +
         (text.find(" required ") != std::string::npos ? " needs a value" : " takes no value");
}

/// The help as CLI11 puts it together, without its gaps.
std::string help_of(const CLI::App& app) {
  std::string text = app.help();
  for (std::size_t gap; (gap = text.find("\n\n\n")) != std::string::npos;) text.erase(gap, 1);
  while (text.ends_with("\n\n")) text.pop_back();
  return text;
}

OptionFacts facts_of(const CLI::Option& option, const OptionAdder& adder) {
  OptionFacts facts;
  for (const auto& name : option.get_snames()) facts.names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) facts.names.push_back("--" + name);
  facts.description = option.get_description();
  if (option.get_expected_max() == 0) return facts;
  const auto& text = option.get_option_text();
  facts.value_name = facts.names.empty() ? option.get_name()
                     : text.empty()      ? option.get_type_name()
                                         : text;
  facts.words = adder.words_of(&option);
  return facts;
}

std::vector<OptionFacts> options_in(const CLI::App& app, const OptionAdder& adder) {
  std::vector<OptionFacts> all;
  for (const auto* option : app.get_options()) {
    if (!option->get_group().empty()) all.push_back(facts_of(*option, adder));
  }
  return all;
}

template <typename Command>
std::vector<OptionFacts> options_of() {
  CLI::App app;
  app.set_help_flag("-h,--help", "this text");
  Command command;
  const auto adder = define(app, command);
  return options_in(app, adder);
}

/// Whether the value of this option, or of the last of these short ones, is the next word.
bool awaits_value(std::string_view word, std::span<const OptionFacts> options) {
  const auto takes_value = [&](std::string_view name) {
    const auto* option = find_option(options, name);
    return option != nullptr && !option->value_name.empty();
  };
  if (word.starts_with("--")) return takes_value(word);
  for (std::size_t i = 1; i < word.size(); ++i) {
    if (takes_value(std::string{'-', word[i]})) return i + 1 == word.size();
  }
  return false;
}

/// Takes the words of the command, and what stands behind `:::`. How many words are left.
int take_words(int argc, char** argv, std::span<const OptionFacts> options, MapCommand& map) {
  const std::vector<std::string> words(argv, argv + argc);
  const auto begin = static_cast<std::ptrdiff_t>(first_operand(words, options));
  const auto inputs = std::find(words.begin() + begin, words.end(), kInputsMark);
  map.words.assign(words.begin() + begin, inputs);
  if (inputs != words.end()) map.inputs.emplace(inputs + 1, words.end());
  return static_cast<int>(begin);
}

/// Throws `UsageError`.
void check_words(const MapCommand& map) {
  if (map.words.empty()) throw UsageError("COMMAND is required (see osiiso map --help)");
  if (map.words.front().find_first_not_of(" \t\n\v\f\r") == std::string::npos) {
    throw UsageError("COMMAND is empty");
  }
  if (std::ranges::find(map.words, kFileInputsMark) != map.words.end()) {
    throw UsageError("there is no ::::; -a FILE in front of COMMAND takes inputs from a file");
  }
  if (!map.inputs) return;
  if (!map.input_file.empty())
    throw UsageError("inputs come from --arg-file or from :::, not both");
  if (std::ranges::find(*map.inputs, kInputsMark) != map.inputs->end()) {
    throw UsageError("a second ::: is not possible: there is one list of inputs");
  }
}

/// Builds the options of one command only: those of all cost more than a short run does.
template <typename Command>
CommandLine parse(int argc, char** argv, const std::string& description, const char* footer = "") {
  CLI::App app(description, "osiiso " + std::string(argv[1]));
  app.set_help_flag("-h,--help", "this text");
  app.footer(footer);
  Command command;
  const auto options = define(app, command);
  --argc;
  ++argv;
  if constexpr (std::is_same_v<Command, MapCommand>) {
    argc = take_words(argc, argv, options_in(app, options), command);
  }
  try {
    app.parse(argc, argv);
    options.take_environment();
    if constexpr (std::is_same_v<Command, MapCommand>) check_words(command);
    if constexpr (requires { command.overrides; }) check_rules(command.overrides);
  } catch (const CLI::CallForHelp&) {
    return ShowText{help_of(app)};
  } catch (const CLI::ParseError& error) {
    throw UsageError(base::format("{} (see osiiso {} --help)", explain(app, error), argv[0]));
  }
  return command;
}

/// `__complete INDEX WORD...`, for the scripts in completions/ beside this file alone.
CompleteCommand parse_completion(std::span<char* const> arguments) {
  CompleteCommand command;
  if (arguments.empty()) throw UsageError("__complete: the index of a word is missing");
  command.index = parse_number<std::size_t>("__complete", arguments.front());
  for (const char* word : arguments.subspan(1)) command.words.emplace_back(word);
  if (command.index > command.words.size()) {
    throw UsageError(base::format("__complete: there is no word {}", command.index));
  }
  return command;
}

[[noreturn]] void refuse_command(std::string_view word) {
  std::string text = base::format("there is no command '{}'", word);
  if (std::error_code none; std::filesystem::is_regular_file(word, none)) {
    text += base::format("; did you mean 'osiiso run {}'?", word);
  } else if (const auto near = base::nearest(word, kCommands)) {
    text += base::format("; did you mean '{}'?", *near);
  }
  throw UsageError(text + " (see osiiso --help)");
}

}  // namespace

std::span<const std::string_view> command_names() {
  return kCommands;
}

std::vector<OptionFacts> options_of(std::string_view command) {
  if (command == "run") return options_of<RunCommand>();
  if (command == "map") return options_of<MapCommand>();
  if (command == "check") return options_of<CheckCommand>();
  if (command == "plan") return options_of<PlanCommand>();
  if (command == "report") return options_of<ReportCommand>();
  if (command == "schema") return options_of<SchemaCommand>();
  return {};
}

const OptionFacts* find_option(std::span<const OptionFacts> options, std::string_view name) {
  const auto found = std::ranges::find_if(options, [&](const OptionFacts& option) {
    return std::ranges::find(option.names, name) != option.names.end();
  });
  return found == options.end() ? nullptr : &*found;
}

std::size_t first_operand(std::span<const std::string> words,
                          std::span<const OptionFacts> options) {
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--") return i + 1;
    if (word == "-" || !word.starts_with('-')) return i;
    if (awaits_value(word, options)) ++i;
  }
  return words.size();
}

CommandLine parse_command_line(int argc, char** argv) {
  if (argc < 2) throw UsageError("a command is missing (see osiiso --help)");
  const std::string_view word = argv[1];
  if (word == "--help" || word == "-h" || word == "help") return ShowText{std::string(kOverview)};
  if (word == "--version" || word == "-V") return ShowText{base::format("osiiso {}\n", kVersion)};
  if (word == "run") {
    return parse<RunCommand>(argc, argv, "Runs job files and reports what came of it.",
                             kRunExamples);
  }
  if (word == "map") {
    return parse<MapCommand>(argc, argv, "Runs one command over inputs.", kMapExamples);
  }
  if (word == "check") {
    return parse<CheckCommand>(argc, argv, "Reports every error of job files; runs nothing.",
                               kCheckExamples);
  }
  if (word == "plan") {
    return parse<PlanCommand>(argc, argv, "Shows the tasks in the order in which they would start.",
                              kPlanExamples);
  }
  if (word == "report") {
    return parse<ReportCommand>(argc, argv, "Shows a saved JSON summary again, or writes it anew.",
                                kReportExamples);
  }
  if (word == "schema") {
    return parse<SchemaCommand>(argc, argv,
                                "Prints a JSON Schema: of job files, for editors, or of events.",
                                kSchemaExamples);
  }
  if (word == "__complete") return parse_completion({argv + 2, argv + argc});
  refuse_command(word);
}

}  // namespace osiiso::cli
