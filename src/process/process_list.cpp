// SPDX-License-Identifier: MIT
#include "process/process_list.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/descriptor.hpp"

namespace osiiso::process {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

bool is_number(const char* name) {
  return name[std::strspn(name, "0123456789")] == '\0';
}

// The name of the program, in parentheses, may hold anything: what follows it begins after the
// last closing one.
std::optional<ListedProcess> parse_stat(const char* stat) {
  const char* const name_end = std::strrchr(stat, ')');
  if (name_end == nullptr) return {};
  ListedProcess process{};
  char state = 0;
  long threads = 0;
  if (std::sscanf(stat, "%d", &process.pid) != 1) return {};
  // State, parent, group, session; after 13 others the number of threads.
  const char* const layout =
      " %c %d %d %d"
      " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s"
      " %ld";
  if (std::sscanf(name_end + 1, layout, &state, &process.parent, &process.group, &process.session,
                  &threads) != 5) {
    return {};
  }
  // The first thread of a process may end before the others: that is a zombie which still runs.
  const bool is_gone = state == 'X' || (state == 'Z' && threads <= 1);
  return is_gone ? std::nullopt : std::optional(process);
}

std::optional<ListedProcess> read_stat(int proc, const char* pid) {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "%.20s/stat", pid);
  const base::Descriptor file(::openat(proc, path.data(), O_RDONLY | O_CLOEXEC));
  if (!file) return {};
  std::array<char, 1024> text{};
  const ssize_t size = ::read(file.get(), text.data(), text.size() - 1);
  return size > 0 ? parse_stat(text.data()) : std::nullopt;
}

}  // namespace

void for_each_process(const std::function<void(const ListedProcess&)>& visit) {
  const Directory proc(::opendir("/proc"));
  if (!proc) return;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is ours alone
  while (const dirent* entry = ::readdir(proc.get())) {
    if (!is_number(entry->d_name)) continue;
    if (const auto process = read_stat(::dirfd(proc.get()), entry->d_name)) visit(*process);
  }
}

std::vector<pid_t> members_of_group(pid_t group) {
  std::vector<pid_t> members;
  for_each_process([&](const ListedProcess& process) {
    if (process.group == group) members.push_back(process.pid);
  });
  return members;
}

}  // namespace osiiso::process
