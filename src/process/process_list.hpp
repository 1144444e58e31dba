// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"

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

/// All processes that ran at some moment, zombies left out.
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

 private:
  void append_children(pid_t parent, std::vector<ListedProcess>& found) const;

  base::Instant began_;
  std::vector<ListedProcess> by_parent_;
};

/// A snapshot that began at `since` or later. Those who want one at the same time share it, as do
/// all who name the same instant.
std::shared_ptr<const ProcessSnapshot> snapshot_since(base::Instant since);

/// Sends a signal to this very process, unless it is gone.
void signal_process(const ListedProcess& process, int signal);

}  // namespace osiiso::process
