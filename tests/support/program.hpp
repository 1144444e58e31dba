// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "support/files.hpp"

namespace osiiso::test {

/// What a program did, seen from outside.
struct Ended {
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string out;
  std::string err;
  long max_rss_kib = 0;  // peak memory of its largest process
};

struct Invocation {
  std::vector<std::string> arguments;  // the first one is the program
  std::string input = {};              // on its standard input
  std::map<std::string, std::string> env = {};
  std::string folder = {};       // empty: this process's
  std::string stdout_path = {};  // empty: collected in `Ended::out`
  bool close_stdout = false;
  bool own_group = false;  // which this process keeps from being orphaned: SIGTSTP stops it
};

/// A program under way. Its streams go to files, so that nobody has to read while it runs.
class RunningProgram {
 public:
  explicit RunningProgram(const Invocation& invocation);
  /// Kills it if it was not waited for.
  ~RunningProgram();
  RunningProgram(const RunningProgram&) = delete;
  RunningProgram& operator=(const RunningProgram&) = delete;

  pid_t pid() const { return pid_; }
  void send(int signal) const;
  bool has_ended() const;
  Ended wait();

 private:
  pid_t pid_ = -1;
  int out_ = -1;
  int err_ = -1;
};

Ended run_program(const Invocation& invocation);

/// Polls until `condition` holds; false after half a minute.
template <typename Condition>
bool eventually(Condition condition) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    const timespec pause{.tv_sec = 0, .tv_nsec = 5'000'000};
    ::nanosleep(&pause, nullptr);
  }
  return true;
}

/// How many processes have `marker` among their arguments. Zombies have none.
int count_processes(const std::string& marker);

/// Those of them that are in this state, as /proc shows it: T is stopped.
int count_in_state(char state, const std::string& marker);

/// How many processes have `entry` (NAME=VALUE) in the environment that they were started with.
/// Zombies have none.
int count_with_environment(const std::string& entry);

}  // namespace osiiso::test
