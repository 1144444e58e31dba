// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/page_allocator.hpp"

namespace osiiso::process {

/// What SIGKILL does not end within this is in the kernel's hands or not ours.
constexpr Duration kUnkillable = std::chrono::seconds(2);

/// A process as /proc shows it.
struct ListedProcess {
  pid_t pid;
  pid_t parent;
  pid_t group;
  pid_t session;
  std::uint64_t started;  ///< clock ticks since the machine's start: with `pid`, who it is for good
  bool is_zombie = false;
  bool is_stopped = false;  ///< by a signal, or by who traces it

  bool is_same_as(const ListedProcess& other) const {
    return pid == other.pid && started == other.started;
  }
};

/// Calls `visit` for every process that still runs or could go on; zombies are left out. Shows
/// what is there while it looks: a process that starts meanwhile may be missed. Without /proc
/// there is nothing to see.
void for_each_process(const std::function<void(const ListedProcess&)>& visit);

/// How often all processes were looked through, which takes milliseconds.
std::size_t count_of_looks();

/// One process, be it a zombie; none where it is gone.
std::optional<ListedProcess> find_process(pid_t pid);

/// Up to `limit` bytes of /proc/`pid`/`name`; nothing where it cannot be read.
std::string read_of_process(pid_t pid, const char* name, std::size_t limit);

/// Works where no allocator may be asked.
using ListInPages = std::vector<ListedProcess, base::PageAllocator<ListedProcess>>;

/// All processes that ran at some moment, zombies left out.
///
/// Made, and asked by `append_below` for a list in pages, it takes no lock and calls neither an
/// allocator nor the C library's streams. So both may be done in the copy of a process that has
/// threads, where a lock that one of them held is never released.
class ProcessSnapshot {
 public:
  ProcessSnapshot();

  /// Every process that ran since before this instant, and still ran at the end, is in it.
  base::Instant began() const { return began_; }
  /// The processes of a group.
  std::vector<ListedProcess> group(pid_t group) const;
  std::vector<ListedProcess> children(pid_t parent) const;
  /// The processes below one, parents before their children.
  std::vector<ListedProcess> below(pid_t ancestor) const;
  template <typename List>
  void append_below(pid_t ancestor, List& found) const;

 private:
  template <typename List>
  void append_children(pid_t parent, List& found) const;

  base::Instant began_;
  ListInPages by_parent_;
};

template <typename List>
void ProcessSnapshot::append_below(pid_t ancestor, List& found) const {
  std::size_t next = found.size();
  const std::size_t most = next + by_parent_.size();
  append_children(ancestor, found);
  // Numbers may be given anew while the list is made, so that it may show a circle.
  for (; next < found.size() && found.size() <= most; ++next) {
    append_children(found[next].pid, found);
  }
}

template <typename List>
void ProcessSnapshot::append_children(pid_t parent, List& found) const {
  found.insert(found.end(),
               std::ranges::lower_bound(by_parent_, parent, {}, &ListedProcess::parent),
               std::ranges::upper_bound(by_parent_, parent, {}, &ListedProcess::parent));
}

/// A snapshot that began at `since` or later. Those who want one at the same time share it, as do
/// all who name the same instant.
std::shared_ptr<const ProcessSnapshot> snapshot_since(base::Instant since);

/// Sends a signal to this very process, unless it is gone.
void signal_process(const ListedProcess& process, int signal);

}  // namespace osiiso::process
