// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "osiiso/command.hpp"

// Shell commands in a real shell, started by nothing of osiiso's.
namespace osiiso::test {

struct ShellOutput {
  std::string printed;
  int status;  ///< as of waitpid(2)
};

/// Runs the text of `command`, with the variables that came with it and no others but PATH.
inline ShellOutput run_in(std::vector<std::string> shell, const Command& command) {
  const auto require = [](bool holds, const char* what) {
    if (!holds) throw std::runtime_error(what);
  };
  const auto pointers_to = [](std::vector<std::string>& texts) {
    std::vector<char*> made;
    for (std::string& text : texts) made.push_back(text.data());
    made.push_back(nullptr);
    return made;
  };
  std::vector<std::string> environment = {"PATH=/usr/bin:/bin"};
  for (std::string_view rest = command.variables(); !rest.empty();) {
    environment.emplace_back(rest.substr(0, rest.find('\0')));
    rest.remove_prefix(environment.back().size() + 1);
  }
  shell.push_back(command.words().front());

  std::array<int, 2> ends{};
  require(::pipe2(ends.data(), O_CLOEXEC) == 0, "no pipe for the shell");
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid, shell.front().c_str(), &actions, nullptr,
                                   pointers_to(shell).data(), pointers_to(environment).data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  ShellOutput output{};
  std::array<char, 65536> piece;
  for (ssize_t got; (got = ::read(ends[0], piece.data(), piece.size())) > 0;) {
    output.printed.append(piece.data(), static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  require(failed == 0, "the shell does not start");
  require(::waitpid(pid, &output.status, 0) == pid, "the shell was waited for by somebody else");
  return output;
}

}  // namespace osiiso::test
