// SPDX-License-Identifier: MIT
#include "process/descendants.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

namespace osiiso::process {
namespace {

using namespace std::chrono_literals;

constexpr Duration kFirstLook = 1ms;
constexpr Duration kLongestLook = 20ms;

}  // namespace

std::vector<ListedProcess> descendants_of(pid_t ancestor) {
  return ProcessSnapshot().below(ancestor);
}

bool kill_descendants_of(pid_t ancestor, Duration patience) {
  const auto begin = std::chrono::steady_clock::now();
  for (Duration pause = kFirstLook;; pause = std::min(2 * pause, kLongestLook)) {
    ListInPages left;
    ProcessSnapshot().append_below(ancestor, left);
    std::erase_if(left, [](const ListedProcess& process) { return process.pid == ::getpid(); });
    if (left.empty()) return true;
    if (std::chrono::steady_clock::now() - begin >= patience) return false;
    for (const ListedProcess& process : left) ::kill(process.pid, SIGKILL);
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace osiiso::process
