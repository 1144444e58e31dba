// SPDX-License-Identifier: MIT
#include "process/marked_processes.hpp"

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "base/clock.hpp"
#include "process/process_list.hpp"

namespace osiiso::process {
namespace {

using namespace std::chrono_literals;

// What SIGKILL does not end within this is in the kernel's hands or not ours.
constexpr Duration kUnkillable = 2s;

bool has_mark(pid_t pid, const std::string& mark) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/environ", std::ios::binary);
  const std::string environment(std::istreambuf_iterator<char>(file), {});
  return environment.find(mark) != std::string::npos;
}

}  // namespace

void kill_marked(const std::string& mark) {
  const auto give_up_at = base::now() + kUnkillable;
  // Again until none is left: one that was not seen yet may have started more.
  for (bool found = true; found && base::now() < give_up_at;) {
    found = false;
    for_each_process([&](const ListedProcess& process) {
      if (!has_mark(process.pid, mark)) return;
      found = true;
      ::kill(process.pid, SIGKILL);
    });
    if (found) std::this_thread::sleep_for(1ms);
  }
}

}  // namespace osiiso::process
