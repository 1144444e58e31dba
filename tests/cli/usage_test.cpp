// SPDX-License-Identifier: MIT
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "cli/osiiso.hpp"

using osiiso::test::run_osiiso;

TEST_CASE("help and version go to stdout and exit with 0") {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--help"},
                                                    {"run", "--help"},
                                                    {"map", "--help"},
                                                    {"plan", "-h"},
                                                    {"check", "--help"},
                                                    {"report", "--help"},
                                                    {"schema", "--help"}}) {
    const auto ended = run_osiiso(arguments);
    CHECK(ended.exit_code == 0);
    CHECK(ended.out.find("\nExamples:\n  osiiso ") != std::string::npos);
    CHECK(ended.err.empty());
  }
  CHECK(run_osiiso({"--version"}).out == "osiiso 0.1.0\n");
  CHECK(run_osiiso({"-V"}).out == "osiiso 0.1.0\n");
}

TEST_CASE("bad usage is told in one line that names the word, and exits with 2") {
  struct Case {
    std::vector<std::string> arguments;
    std::string expected;
  };
  const std::vector<Case> cases = {
      {{}, "a command is missing"},
      {{"rum", "x"}, "there is no command 'rum'; did you mean 'run'?"},
      {{OSIISO_SAMPLES "/ci.yaml"}, "did you mean 'osiiso run " OSIISO_SAMPLES "/ci.yaml'?"},
      {{"run"}, "JOB is required"},
      {{"run", "-", "--jobs", "3"}, "there is no option '--jobs'; did you mean '--workers'?"},
      {{"run", "-", "-P4"}, "there is no option '-P4'; did you mean '--workers'?"},
      {{"run", "-", "--JIB"}, "there is no option '--JIB' (see"},
      {{"run", "-", "--wrokers", "2"}, "there is no option '--wrokers'; did you mean '--workers'?"},
      {{"run", "-", "--jsno=1"}, "there is no option '--jsno=1'; did you mean '--json'?"},
      {{"run", "-", "-j"}, "--workers needs a value (see"},
      {{"run", "-", "-g"}, "--group needs a value (see"},
      {{"run", "-", "--json=no"}, "--json takes no value (see"},
      {{"run", "-", "-", "-"}, "standard input (-) can be read only once"},
      {{"run", "-", "-g", "x"}, "no group is called 'x'"},
      {{"run", "-", "-j", "two"}, "--workers: 'two' is not a number that fits here"},
      {{"run", "-", "-j", "0"}, "workers must be > 0"},
      {{"run", "-", "--timeout", "5x"}, "--timeout: "},
      {{"run", "-", "--fail-policy", "never"},
       "--fail-policy: 'never' is not one of continue, fail_first"},
      {{"run", "-", "--rate", "nan"}, "rate"},
      {{"run", "-", "--retries", "-1"}, "retries must be >= 0"},
      {{"run", "-", "--queue", "slurm"}, "--queue: 'slurm' is not one of"},
      {{"run", "-", "--report", "junti=x"},
       "--report: there is no kind of report 'junti', only json, junit, html, trace and text; did "
       "you mean 'junit'?"},
      {{"run", "-", "--report", "x"}, "--report: there is no kind of report 'x'"},
      {{"run", "-", "--report", "junit"}, "--report: 'junit' needs a file, as in junit=FILE"},
      {{"run", "-", "--report", "html="}, "--report: 'html=' needs a file, as in html=FILE"},
      {{"run", "-", "--report", "html=/no/such/folder/x"},
       "--report: cannot find /no/such/folder/: No such file or directory"},
      {{"run", "-", "--report", "html=/tmp"}, "--report: cannot write /tmp: Is a directory"},
      {{"run", "-", "--report", "html=/tmp/x", "--report", "json=/tmp/./x"},
       "--report: two reports go to /tmp/./x"},
      {{"run", "-", "--report", "html=-", "--report", "json=/dev/stdout"},
       "at most one report goes to standard output"},
      {{"run", "-", "--report", "html=-", "--json"}, "at most one report goes to standard output"},
      {{"run", "-", "--events", ""}, "--events needs a file or fd:N"},
      {{"run", "-", "--events", "fd:x"}, "--events: 'fd:x' is not fd:N, as in fd:3"},
      {{"run", "-", "--events", "fd:99"}, "--events: descriptor 99 is not open"},
      {{"run", "-", "--events", "/tmp"}, "--events: cannot write /tmp: Is a directory"},
      {{"run", "-", "--events", "/no/such/folder/x"},
       "--events: cannot write /no/such/folder/x: cannot find /no/such/folder/: No such file"},
      {{"run", "-", "--events", "-", "--json"},
       "either a report or the events go to standard output, not both"},
      {{"run", "-", "--events", "/tmp/x", "--report", "json=/tmp/./x"},
       "--events: /tmp/x is that of a report"},
      {{"run", "-", "/tmp/./x", "--events", "/tmp/x"}, "--events: /tmp/x is the job file"},
      {{"run", "-", "--events", "/tmp/x", "--checkpoint", "/tmp/./x"},
       "--events: /tmp/x is the checkpoint"},
      {{"schema", "jobs"}, "OF: 'jobs' is not one of events, job"},
      {{"report"}, "FILE is required"},
      {{"report", "/no/such/file"}, "cannot open '/no/such/file': No such file or directory"},
      {{"report", "-"}, "-: it is no JSON summary of osiiso: byte 2 is no JSON"},
      {{"run", "/no/such/file"}, "cannot open '/no/such/file': No such file or directory"},
      {{"run", "/tmp"}, "/tmp"},
  };
  for (const auto& [arguments, expected] : cases) {
    const std::string& text = expected;  // Clang 14 captures no binding
    CAPTURE(text);
    const auto ended = run_osiiso(arguments, "tasks: ['true']");
    CHECK(ended.exit_code == 2);
    CHECK(ended.out.empty());
    CHECK(ended.err.starts_with("osiiso: "));
    CHECK(ended.err.find(expected) != std::string::npos);
    CHECK(ended.err.find('\n') == ended.err.size() - 1);
  }
}

TEST_CASE("a twin in the environment is blamed by its own name, and the command line wins") {
  struct Case {
    std::vector<std::string> options;
    std::map<std::string, std::string> env;
    std::string expected;
  };
  const std::vector<Case> cases = {
      {{}, {{"OSIISO_WORKERS", "x"}}, "osiiso: OSIISO_WORKERS: 'x' is not a number that fits here"},
      {{}, {{"OSIISO_JSON", "maybe"}}, "osiiso: OSIISO_JSON: 'maybe' is not one of 0, 1, "},
      {{}, {{"OSIISO_EVENTS", "fd:99"}}, "osiiso: OSIISO_EVENTS: descriptor 99 is not open"},
      {{}, {{"OSIISO_DRY_RUN", "1"}}, "order"},
      {{"-j2"}, {{"OSIISO_WORKERS", "x"}}, "Cancelled   : 0"},
      {{"-j", "x", "-j", "2"}, {}, "Cancelled   : 0"},
      {{}, {{"OSIISO_WORKERS", ""}, {"OSIISO_JSON", "0"}}, "Cancelled   : 0"},
      {{}, {{"OSIISO_FAIL_FAST", "1"}}, "Cancelled   : 1"},
      {{"--fail-policy", "continue"}, {{"OSIISO_FAIL_FAST", "1"}}, "Cancelled   : 0"},
      {{"--fail-fast"}, {{"OSIISO_FAIL_POLICY", "continue"}}, "Cancelled   : 1"},
  };
  for (const auto& [options, env, expected] : cases) {
    const std::string& text = expected;  // Clang 14 captures no binding
    CAPTURE(text);
    auto invocation =
        osiiso::test::osiiso_with({"run", "-"}, "{queue: {workers: 1}, tasks: ['false', 'true']}");
    invocation.arguments.insert(invocation.arguments.end(), options.begin(), options.end());
    invocation.env = env;
    const auto ended = osiiso::test::run_program(invocation);
    CHECK((ended.out + ended.err).find(expected) != std::string::npos);
  }
}

TEST_CASE("each option but the selection has a twin in the environment") {
  std::istringstream help(run_osiiso({"run", "--help"}).out);
  std::size_t count = 0;
  for (std::string line; std::getline(help, line);) {
    const auto begin = line.find("--");
    if (!line.starts_with("  -") || begin == std::string::npos) continue;
    const std::string option = line.substr(begin, line.find(' ', begin) - begin);
    if (option == "--help") continue;
    std::string twin = "OSIISO_";
    for (const char c : option.substr(2)) {
      twin += c == '-' ? '_' : static_cast<char>(c - 'a' + 'A');
    }
    CAPTURE(twin);
    auto invocation = osiiso::test::osiiso_with({"run", "-"}, "tasks: ['true']");
    invocation.env = {{twin, "/no/such/folder/x"}};  // neither a number, a word nor a file
    const auto ended = osiiso::test::run_program(invocation);
    const bool is_selection = option == "--group" || option == "--task";
    CHECK((ended.exit_code == 0) == is_selection);
    CHECK((ended.err.find(twin) != std::string::npos ||
           ended.err.find("/no/such/folder/x") != std::string::npos) == !is_selection);
    ++count;
  }
  CHECK(count > 25);
}

TEST_CASE("the schema of job files is printed as it is") {
  const auto ended = run_osiiso({"schema"});
  CHECK(ended.exit_code == 0);
  CHECK(ended.err.empty());
  CHECK(nlohmann::json::parse(ended.out)["properties"].contains("tasks"));
  CHECK(ended.out.ends_with("}\n"));
  CHECK(run_osiiso({"schema", "x"}).exit_code == 2);
}

TEST_CASE("the help names every option once, in one line or two") {
  const auto help = run_osiiso({"run", "--help"}).out;
  CHECK(help.find("Env:") == std::string::npos);
  CHECK(help.find("REQUIRED") == std::string::npos);
  CHECK(help.find("\n\n\n") == std::string::npos);
  CHECK(help.find("-j,--workers N|auto ") != std::string::npos);
}

TEST_CASE("what changes nothing yet is accepted from the start") {
  for (const std::vector<std::string>& options : {std::vector<std::string>{"--progress", "bar"},
                                                  {"--color", "never"},
                                                  {"--output", "grouped"},
                                                  {"--output", "none"},
                                                  {"-v"},
                                                  {"-q"}}) {
    std::vector<std::string> arguments = {"run", "-"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    CHECK(run_osiiso(arguments, "tasks: ['true']").exit_code == 0);
  }
}

TEST_CASE("a part of the file is chosen by group and by name, with what it needs") {
  const std::string job = R"(
tasks: [{name: base, command: echo base}, {name: other, command: echo other}]
groups:
  api: {needs: [base], tasks: [{name: fetch-a, command: echo a}, {name: post, command: echo b}]}
  web: [echo web]
)";
  const auto names = [&](std::vector<std::string> options) {
    std::string text;
    const auto summary = osiiso::test::run_json(job, std::move(options));
    for (const auto& result : summary["results"]) {
      text += result["name"].get<std::string>() + ";";
    }
    return text;
  };
  CHECK(names({"-g", "api"}) == "base;fetch-a;post;");
  CHECK(names({"-t", "fetch-*"}) == "base;fetch-a;");
  CHECK(names({"-g", "web", "-t", "other"}) == "other;echo web;");
  const auto wrong = run_osiiso({"run", "-", "-g", "wbe"}, job);
  CHECK(wrong.exit_code == 2);
  CHECK(wrong.err.find("web") != std::string::npos);
}
