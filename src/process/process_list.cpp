// SPDX-License-Identifier: MIT
#include "process/process_list.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "base/descriptor.hpp"

namespace osiiso::process {
namespace {

// Without the C library's streams, like all that a snapshot is made of: see `ProcessSnapshot`.
class Fields {
 public:
  explicit Fields(std::string_view line) : rest_(line) {}

  std::string_view next() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(' '), rest_.size()));
    const std::string_view field = rest_.substr(0, rest_.find(' '));
    rest_.remove_prefix(field.size());
    return field;
  }

  void skip(int count) {
    while (count-- > 0) next();
  }

  template <typename Number>
  bool read(Number& number) {
    const std::string_view field = next();
    const char* const end = field.data() + field.size();
    return std::from_chars(field.data(), end, number).ec == std::errc{};
  }

 private:
  std::string_view rest_;
};

// The name of the program, in parentheses, may hold anything: what follows it begins after the
// last closing one.
std::optional<ListedProcess> parse_stat(std::string_view stat) {
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string_view::npos) return {};
  ListedProcess process{};
  long threads = 0;
  if (!Fields(stat).read(process.pid)) return {};
  Fields fields(stat.substr(name_end + 1));
  const std::string_view state = fields.next();
  bool complete =
      fields.read(process.parent) && fields.read(process.group) && fields.read(process.session);
  fields.skip(13);
  complete = complete && fields.read(threads);
  fields.skip(1);
  if (!complete || !fields.read(process.started) || state == "X") return {};
  // The first thread of a process may end before the others: that is a zombie which still runs.
  process.is_zombie = state == "Z" && threads <= 1;
  process.is_stopped = state == "T" || state == "t";
  return process;
}

std::optional<ListedProcess> read_stat(int folder, const char* path) {
  const base::Descriptor file(::openat(folder, path, O_RDONLY | O_CLOEXEC));
  if (!file) return {};
  std::array<char, 1024> text;
  const ssize_t size = ::read(file.get(), text.data(), text.size());
  if (size <= 0) return {};
  return parse_stat({text.data(), static_cast<std::size_t>(size)});
}

// The entry of /proc for a process; nothing for the other entries.
std::optional<ListedProcess> read_entry(int proc, std::string_view name) {
  constexpr std::string_view kFile = "/stat";
  std::array<char, 32> path{};
  const bool is_number = name.find_first_not_of("0123456789") == std::string_view::npos;
  if (!is_number || name.size() + kFile.size() >= path.size()) return {};
  std::ranges::copy(kFile, std::ranges::copy(name, path.begin()).out);
  return read_stat(proc, path.data());
}

std::atomic<std::size_t> looks = 0;

constexpr std::size_t kPiece = 4096;

}  // namespace

void for_each_process(const std::function<void(const ListedProcess&)>& visit) {
  looks.fetch_add(1, std::memory_order_relaxed);
  const base::Descriptor proc(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  alignas(dirent64) std::array<char, 2 * kPiece> entries;
  for (;;) {
    const ssize_t size = ::getdents64(proc.get(), entries.data(), entries.size());
    if (size <= 0) return;
    for (ssize_t at = 0; at < size;) {
      const auto* const entry = reinterpret_cast<const dirent64*>(entries.data() + at);
      const auto process = read_entry(proc.get(), entry->d_name);
      if (process && !process->is_zombie) visit(*process);
      at += entry->d_reclen;
    }
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
  std::vector<ListedProcess> found;
  append_below(ancestor, found);
  return found;
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
