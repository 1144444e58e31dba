// SPDX-License-Identifier: MIT
#include "base/cpus.hpp"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <thread>

namespace osiiso::base {
namespace {

int affinity_cpus() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
  // More processors than a cpu_set_t can name.
  return static_cast<int>(std::thread::hardware_concurrency());
}

/// The processors that the quota of one control group amounts to; none set: as many as there are.
int quota_cpus(const std::string& group_folder) {
  std::ifstream file(group_folder + "/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) {
    return std::numeric_limits<int>::max();
  }
  return static_cast<int>(std::ceil(std::strtod(quota.c_str(), nullptr) / period));
}

/// The path of this process's v2 control group below the mount point, empty if there is none.
std::string control_group() {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("0::/")) return line.substr(3);
  }
  return {};
}

}  // namespace

int usable_cpus() {
  int cpus = affinity_cpus();
  // A quota of any group on the way up holds too.
  for (auto group = control_group(); !group.empty(); group.resize(group.rfind('/'))) {
    cpus = std::min(cpus, quota_cpus("/sys/fs/cgroup" + group));
  }
  return std::max(1, cpus);
}

}  // namespace osiiso::base
