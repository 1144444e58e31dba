// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

// What the help says beside the options: the overview, and examples for each command.

namespace osiiso::cli {

inline constexpr std::string_view kOverview =
    R"(osiiso: runs batches of commands and says exactly what failed.

Usage: osiiso COMMAND [OPTIONS] ...

Commands:
  run JOB...     run job files (- is standard input); several files are one run
  map COMMAND... run one command over inputs: of standard input, a file, or after :::
  check JOB...   report every error of job files, run nothing
  plan JOB...    show the tasks in the order in which they would start
  report FILE    show a saved JSON summary again, or write it as JUnit, HTML or a trace
  schema         print the JSON Schema of job files, for editors, or of events

Options:
  -h, --help     this text; `osiiso COMMAND --help` tells more
  -V, --version  the version

Examples:
  osiiso run nightly.yaml
  osiiso run ci.yaml --fail-fast --json | jq .failed
  osiiso run ci.yaml --report junit=junit.xml --report html=run.html
  printf 'tasks: [./lint, ./unit-tests]' | osiiso run -
  find . -name '*.log' -print0 | osiiso map -0 gzip {}

Exit codes: 0 passed, 1 a task failed or was cancelled, 2 bad usage or job file,
4 nothing to run, 70 a fault of osiiso, 74 a report, log, event or checkpoint could not be written,
124 the run timed out, 128+N ended by signal N.
)";

inline constexpr const char* kRunExamples = R"(
Examples:
  osiiso run nightly.yaml                     a report to read, the exit code says how it went
  osiiso run -j8 --fail-fast ci.yaml          stop at the first failure
  osiiso run --json ci.yaml | jq .results     a report for a program
  osiiso run --report junit=junit.xml --report html=run.html ci.yaml
  osiiso run -g api -t 'fetch-*' nightly.yaml a part of it, with what it needs
  osiiso run --events fd:3 ci.yaml 3> >(jq)   what happens, as it happens
  osiiso run --checkpoint done.db nightly.yaml  the same again goes on where it was
Each option but -g and -t can be given in the environment: OSIISO_WORKERS for --workers.
)";

inline constexpr const char* kMapExamples = R"(
Examples:
  osiiso map -j4 'convert {} out/{/.}.png' ::: *.jpg    a text for the shell; values are quoted
  find . -name '*.log' -print0 | osiiso map -0 gzip {}
  osiiso map --retries 3 -a urls.txt curl -fsSO         no {}: it is added at the end
  tail -f queue | osiiso map --size 10 ./handle         each line as it comes
Placeholders: {} the input, {.} without extension, {/} its last part, {//} its folder, {/.} both,
{ext} the extension, {#} its number. Options stand before COMMAND; -- ends them.
Each option can be given in the environment: OSIISO_WORKERS for --workers.
)";

inline constexpr const char* kCheckExamples = R"(
Examples:
  osiiso check nightly.yaml                   every mistake, each at its line and column
  git ls-files '*.job.yaml' | xargs -rn 1 osiiso check
)";

inline constexpr const char* kPlanExamples = R"(
Examples:
  osiiso plan nightly.yaml                    what would run, in which order
  osiiso plan -t 'fetch-*' nightly.yaml       what a part of it would bring along
  osiiso plan --checkpoint done.db nightly.yaml  what is still to be done, and why
  osiiso plan --json nightly.yaml | jq -r '.tasks[].command'
)";

inline constexpr const char* kReportExamples = R"(
Examples:
  osiiso report run.json                      what the run itself printed
  osiiso report run.json --report html=run.html
  osiiso run ci.yaml --json | tee run.json | osiiso report - --report junit=junit.xml
)";

inline constexpr const char* kSchemaExamples = R"(
Examples:
  osiiso schema > job.schema.json             and as the first line of a job file:
  # yaml-language-server: $schema=job.schema.json
)";

}  // namespace osiiso::cli
