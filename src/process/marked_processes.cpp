// SPDX-License-Identifier: MIT
#include "process/marked_processes.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "process/environment.hpp"
#include "process/process_list.hpp"

namespace osiiso::process {
namespace {

using namespace std::chrono_literals;

// More than the kernel lets a process be executed with.
constexpr std::size_t kLongestEnvironment = 8UL * 1024 * 1024;

/// Each variable followed by a NUL, and a NUL in front of the first one.
std::string read_environment(pid_t pid) {
  return '\0' + read_of_process(pid, "environ", kLongestEnvironment);
}

// It came to us when its parent was killed; nobody else knows of it.
void reap_orphan(pid_t pid) {
  siginfo_t ignored{};
  ::waitid(P_PID, static_cast<id_t>(pid), &ignored, WEXITED | WNOHANG);
}

}  // namespace

std::optional<std::string> marks_of(pid_t pid) {
  const std::string environment = read_environment(pid);
  if (environment.size() == 1) return {};
  const std::string variable = std::string(1, '\0') + kMarkVariable + '=';
  const std::size_t start = environment.find(variable);
  if (start == std::string::npos) return std::string();
  return environment.c_str() + start + variable.size();
}

bool have_mark(std::string_view marks, std::string_view mark) {
  while (!marks.empty()) {
    const std::size_t end = marks.find(':');
    if (marks.substr(0, end) == mark) return true;
    marks.remove_prefix(end == std::string_view::npos ? marks.size() : end + 1);
  }
  return false;
}

void kill_marked(const std::string& mark) {
  const auto give_up_at = base::now() + kUnkillable;
  std::vector<pid_t> orphans;
  // Again until none is left: one that was not seen yet may have started more.
  for (bool found = true; found && base::now() < give_up_at;) {
    found = false;
    for_each_process([&](const ListedProcess& process) {
      if (!have_mark(marks_of(process.pid).value_or(""), mark)) return;
      found = true;
      if (process.parent == ::getpid()) orphans.push_back(process.pid);
      ::kill(process.pid, SIGKILL);
    });
    if (found) std::this_thread::sleep_for(1ms);
  }
  for (const pid_t pid : orphans) reap_orphan(pid);
}

}  // namespace osiiso::process
