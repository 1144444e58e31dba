// SPDX-License-Identifier: MIT
#include "process/process_list.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
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
  // State, parent, group, session; after 13 others the number of threads, after one more the start.
  const char* const layout =
      " %c %d %d %d"
      " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s"
      " %ld %*s %" SCNu64;
  if (std::sscanf(name_end + 1, layout, &state, &process.parent, &process.group, &process.session,
                  &threads, &process.started) != 6) {
    return {};
  }
  if (state == 'X') return {};
  // The first thread of a process may end before the others: that is a zombie which still runs.
  process.is_zombie = state == 'Z' && threads <= 1;
  process.is_stopped = state == 'T' || state == 't';
  return process;
}

std::optional<ListedProcess> read_stat(int folder, const char* path) {
  const base::Descriptor file(::openat(folder, path, O_RDONLY | O_CLOEXEC));
  if (!file) return {};
  std::array<char, 1024> text{};
  const ssize_t size = ::read(file.get(), text.data(), text.size() - 1);
  return size > 0 ? parse_stat(text.data()) : std::nullopt;
}

std::atomic<std::size_t> looks = 0;

constexpr std::size_t kPiece = 4096;

}  // namespace

void for_each_process(const std::function<void(const ListedProcess&)>& visit) {
  looks.fetch_add(1, std::memory_order_relaxed);
  const Directory proc(::opendir("/proc"));
  if (!proc) return;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is ours alone
  while (const dirent* entry = ::readdir(proc.get())) {
    if (!is_number(entry->d_name)) continue;
    std::array<char, 64> path{};
    std::snprintf(path.data(), path.size(), "%.20s/stat", entry->d_name);
    const auto process = read_stat(::dirfd(proc.get()), path.data());
    if (process && !process->is_zombie) visit(*process);
  }
}

std::size_t count_of_looks() {
  return looks.load(std::memory_order_relaxed);
}

std::optional<ListedProcess> find_process(pid_t pid) {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "/proc/%d/stat", pid);
  return read_stat(AT_FDCWD, path.data());
}

std::string read_of_process(pid_t pid, const char* name, std::size_t limit) {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "/proc/%d/%s", pid, name);
  const base::Descriptor file(::open(path.data(), O_RDONLY | O_CLOEXEC));
  std::string text;
  std::array<char, kPiece> piece;
  while (file && text.size() < limit) {
    const auto size = ::read(file.get(), piece.data(), std::min(piece.size(), limit - text.size()));
    if (size <= 0) break;
    text.append(piece.data(), static_cast<std::size_t>(size));
  }
  return text;
}

ProcessSnapshot::ProcessSnapshot() : began_(base::now()) {
  for_each_process([this](const ListedProcess& process) { by_parent_.push_back(process); });
  std::ranges::sort(by_parent_, {}, &ListedProcess::parent);
}

std::vector<ListedProcess> ProcessSnapshot::group(pid_t group) const {
  std::vector<ListedProcess> members;
  for (const ListedProcess& process : by_parent_) {
    if (process.group == group) members.push_back(process);
  }
  return members;
}

std::vector<ListedProcess> ProcessSnapshot::children(pid_t parent) const {
  std::vector<ListedProcess> found;
  append_children(parent, found);
  return found;
}

std::vector<ListedProcess> ProcessSnapshot::below(pid_t ancestor) const {
  auto found = children(ancestor);
  // Numbers may be given anew while the list is made, so that it may show a circle.
  for (std::size_t next = 0; next < found.size() && found.size() <= by_parent_.size(); ++next) {
    append_children(found[next].pid, found);
  }
  return found;
}

void ProcessSnapshot::append_children(pid_t parent, std::vector<ListedProcess>& found) const {
  found.insert(found.end(),
               std::ranges::lower_bound(by_parent_, parent, {}, &ListedProcess::parent),
               std::ranges::upper_bound(by_parent_, parent, {}, &ListedProcess::parent));
}

std::shared_ptr<const ProcessSnapshot> snapshot_since(base::Instant since) {
  static std::mutex mutex;
  static std::shared_ptr<const ProcessSnapshot> latest;
  // Whoever had to wait here finds what the one before has made, unless that began too early.
  const std::lock_guard lock(mutex);
  if (!latest || latest->began() < since) latest = std::make_shared<const ProcessSnapshot>();
  return latest;
}

// By a descriptor that is opened before the second look: the number alone could mean another
// process by now.
void signal_process(const ListedProcess& process, int signal) {
  const base::Descriptor pidfd(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
  if (!pidfd) return;
  const auto now = find_process(process.pid);
  if (!now || !now->is_same_as(process)) return;
  ::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0);
}

}  // namespace osiiso::process
