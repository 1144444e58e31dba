// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "bench/measure.hpp"
#include "support/files.hpp"

namespace bench {

/// A command that all contenders of a race run: its words and, behind them, a number.
struct Workload {
  std::string name;
  std::vector<std::string> words;  ///< of the bare limit
  std::string text;                ///< what a shell would read, the number still missing
  bool is_shell;                   ///< only the text is raced
};

/// A way to run a workload `tasks` times with two workers.
struct Contender {
  std::string name;
  std::function<Cost()> run;
};

/// Writes a job file of the workload's commands as argvs, for two workers; returns its path.
std::string write_argv_job(const std::string& queue, const Workload& workload, std::size_t tasks,
                           const osiiso::test::TemporaryFolder& folder);

/// The program with each kind of queue, and the library.
std::vector<Contender> osiiso_contenders(const std::string& program, const std::string& label,
                                         const Workload& workload, std::size_t tasks,
                                         const osiiso::test::TemporaryFolder& folder);
std::vector<Contender> library_contenders(const Workload& workload, std::size_t tasks);
/// xargs, make, ninja and GNU parallel, as far as they are installed.
std::vector<Contender> peer_contenders(const Workload& workload, std::size_t tasks,
                                       const osiiso::test::TemporaryFolder& folder);

}  // namespace bench
