// SPDX-License-Identifier: MIT
#include "process/descendants.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <thread>

namespace osiiso::process {
namespace {

using namespace std::chrono_literals;

constexpr Duration kFirstLook = 1ms;
constexpr Duration kLongestLook = 20ms;

}  // namespace

std::vector<ListedProcess> descendants_of(pid_t ancestor) {
  std::vector<ListedProcess> others;
  for_each_process([&](const ListedProcess& process) { others.push_back(process); });
  std::ranges::sort(others, {}, &ListedProcess::parent);

  std::vector<ListedProcess> found;
  const auto add_children = [&](pid_t parent) {
    found.insert(found.end(), std::ranges::lower_bound(others, parent, {}, &ListedProcess::parent),
                 std::ranges::upper_bound(others, parent, {}, &ListedProcess::parent));
  };
  add_children(ancestor);
  for (std::size_t next = 0; next < found.size(); ++next) add_children(found[next].pid);
  return found;
}

bool kill_descendants(base::Instant give_up_at) {
  for (Duration pause = kFirstLook;; pause = std::min(2 * pause, kLongestLook)) {
    const auto left = descendants_of(::getpid());
    if (left.empty()) return true;
    if (base::now() >= give_up_at) return false;
    for (const ListedProcess& process : left) ::kill(process.pid, SIGKILL);
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace osiiso::process
