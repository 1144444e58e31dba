// SPDX-License-Identifier: MIT
#pragma once

namespace osiiso::cli {

/// How the program ends when no signal ended the run.
enum class ExitCode : int {
  passed = 0,
  errors = 1,           ///< a task failed or was cancelled
  usage = 2,            ///< bad usage or a bad job file; nothing was started
  nothing_to_run = 4,   ///< no task, or none selected
  own_fault = 70,       ///< EX_SOFTWARE of sysexits.h
  write_failed = 74,    ///< EX_IOERR: the run went on, but a report of it is missing
  run_timed_out = 124,  ///< as timeout(1) says it
};

}  // namespace osiiso::cli
