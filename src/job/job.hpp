// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "osiiso/duration.hpp"
#include "osiiso/queue_options.hpp"
#include "osiiso/task_options.hpp"

#include "job/plan.hpp"

namespace osiiso::job {

/// The text of one job file.
struct Source {
  std::string name;  ///< as diagnostics show it
  std::string text;
  std::string folder;  ///< what relative paths in the file start from
};

/// Reads a job file; `-` is standard input, whose folder is the program's own. Throws
/// `SystemError` where it cannot be read and `Error` where it is larger than `kLargestSource`.
Source load(const std::string& path);

inline constexpr std::size_t kLargestSource = std::size_t{256} << 20;

/// One mistake in a job file, at its place.
struct Diagnostic {
  std::string file;        ///< empty, as is `line`: a mistake of the command line
  std::size_t line = 0;    ///< from 1
  std::size_t column = 0;  ///< from 1, in characters as shown
  std::string text;
  std::string hint;         ///< a second sentence, such as `did you mean 'retries'?`; or empty
  std::string source_line;  ///< safe to show, long ones cut around the place; or empty
  std::size_t caret = 0;    ///< columns of `source_line` in front of the place
};

/// `FILE:LINE:COLUMN: error: TEXT`, the source line, a caret beneath it and the hint, as far as
/// there are any, and `osiiso: TEXT` for what is wrong with the command line; no newline at the
/// end.
std::string to_string(const Diagnostic& diagnostic);

/// What the command line says. The queue's options win over those of the files; the task options
/// take the place of what is built in, so that a file's own `defaults` win over them.
struct Overrides {
  /// `--workers auto` is a value too.
  struct Workers {
    std::optional<int> number;  ///< none: auto
  };

  std::optional<QueueKind> kind;
  std::optional<Workers> workers;
  std::optional<std::int64_t> size;
  std::optional<Duration> timeout;
  std::optional<Mode> mode;
  std::optional<FailPolicy> fail_policy;
  std::optional<OnTimeout> on_timeout;
  std::optional<double> rate;
  std::optional<int> burst;
  std::optional<Duration> grace;

  std::optional<int> retries;
  std::optional<Duration> retry_delay;
  std::optional<double> backoff;
  std::optional<Duration> task_timeout;
  std::optional<int> priority;
};

/// What is built in, with what the command line says of it instead.
QueueOptions queue_options(const Overrides& overrides);
TaskOptions task_options(const Overrides& overrides);

/// A part of the files: the groups and the tasks whose names match, whatever these need, and the
/// finally tasks of every group that is touched and of the run. Both empty: everything. Patterns
/// are as in a shell: `*`, `?`, `[…]`, and a backslash before what is meant as it is; `*` matches
/// `/` too.
struct Selection {
  std::vector<std::string> group_globs;
  std::vector<std::string> task_globs;
};

/// Whether the commands of `inputs_from` are executed, where nothing else is wrong with the files.
/// Otherwise their groups stay empty.
enum class RunInputs { yes, no };

/// What came of reading. Either there are diagnostics, or there is a plan.
struct Reading {
  std::optional<Plan> plan;
  std::vector<Diagnostic> diagnostics;  ///< by place, at most a hundred and one that counts more
  bool empty = false;                   ///< there is a plan and it has no task
};

/// Reads job files into one plan. Every mistake that can be found is in the diagnostics; nothing
/// is thrown but `std::bad_alloc`.
Reading read(std::span<const Source> sources, const Overrides& overrides,
             const Selection& selection, RunInputs run_inputs);

}  // namespace osiiso::job
