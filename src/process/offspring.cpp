// SPDX-License-Identifier: MIT
#include "process/offspring.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <string_view>
#include <thread>
#include <utility>

#include "process/marked_processes.hpp"
#include "process/own_child.hpp"

namespace osiiso::process {
namespace {

using namespace std::chrono_literals;

// An execve() is over by then, or the process has no environment at all.
constexpr int kMostReadings = 4;
constexpr Duration kWhileExecuting = 200us;

std::atomic<int> spawns_of_first_thread = 0;
std::atomic<bool> strays_are_claimed = false;

bool is_first_thread() {
  return ::gettid() == ::getpid();
}

// For a kernel that was built without the list.
std::vector<pid_t> scan_for_children() {
  std::vector<pid_t> pids;
  for (const auto& process : ProcessSnapshot().children(::getpid())) pids.push_back(process.pid);
  return pids;
}

std::string marks_of_orphan(pid_t pid) {
  for (int reading = 1; reading <= kMostReadings; ++reading) {
    if (const auto marks = marks_of(pid)) return *marks;
    std::this_thread::sleep_for(kWhileExecuting);
  }
  return {};
}

}  // namespace

// The list

std::vector<pid_t> ChildList::read() {
  if (owner_ != ::getpid()) open();
  if (!file_) return scan_for_children();
  std::vector<pid_t> pids;
  std::array<char, 16UL * 1024> text;
  pid_t pid = 0;
  for (off_t offset = 0;;) {
    const ssize_t size = ::pread(file_.get(), text.data(), text.size(), offset);
    if (size <= 0) return pids;
    offset += size;
    // Each number is followed by a space.
    for (const char digit : std::string_view(text.data(), static_cast<std::size_t>(size))) {
      if (digit != ' ') {
        pid = 10 * pid + (digit - '0');
      } else {
        pids.push_back(std::exchange(pid, 0));
      }
    }
  }
}

// It stays open: opening it takes longer than all else that a look does.
void ChildList::open() {
  owner_ = ::getpid();
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "/proc/self/task/%d/children", owner_);
  file_ = base::Descriptor(::open(path.data(), O_RDONLY | O_CLOEXEC));
}

// What spawn() tells

OwnChild::OwnChild(pid_t pid, base::Instant before) : pid_(pid) {
  Offspring::instance().add_child(pid, before);
}

void OwnChild::reset() {
  if (pid_ >= 0) Offspring::instance().remove_child(std::exchange(pid_, -1));
}

// What other threads start is not among the first one's children.
SpawnUnderWay::SpawnUnderWay() : counts_(is_first_thread()) {
  if (counts_) ++spawns_of_first_thread;
}

SpawnUnderWay::~SpawnUnderWay() {
  if (counts_) --spawns_of_first_thread;
}

void claim_strays() {
  strays_are_claimed = true;
}

bool claims_strays() {
  return strays_are_claimed;
}

// The children

Offspring& Offspring::instance() {
  static Offspring* const offspring = new Offspring;
  return *offspring;
}

void Offspring::add_child(pid_t pid, base::Instant before) {
  const std::lock_guard lock(mutex_);
  children_.insert_or_assign(pid, Child{nullptr, before});
  orphans_.erase(pid);  // seen before it was known
}

void Offspring::remove_child(pid_t pid) {
  const std::lock_guard lock(mutex_);
  children_.erase(pid);
}

void Offspring::add_task(TaskTrace& task) {
  const std::lock_guard lock(mutex_);
  Child& leader = children_.at(task.leader);
  leader.task = &task;
  // One that was found while nobody knew of the task may be the task's: it is looked at again.
  std::erase_if(orphans_, [&](const auto& entry) {
    return entry.second.task == nullptr && entry.second.found_at >= leader.before;
  });
}

void Offspring::remove_task(const TaskTrace& task) {
  const std::lock_guard lock(mutex_);
  const auto leader = children_.find(task.leader);
  if (leader != children_.end() && leader->second.task == &task) leader->second.task = nullptr;
  for (auto& [pid, orphan] : orphans_) {
    if (orphan.task == &task) orphan.task = nullptr;
  }
}

Offspring::Orphans Offspring::orphans_of(const TaskTrace* task, base::Instant since) {
  const std::lock_guard lock(mutex_);
  look(since);
  Orphans found{{}, *looked_at_};
  if (orphans_.empty()) return found;
  reap([&](const Orphan& orphan) { return orphan.task == task; });
  for (const auto& [pid, orphan] : orphans_) {
    if (orphan.task == task && !orphan.is_foreign) found.pids.push_back(pid);
  }
  std::ranges::sort(found.pids);
  return found;
}

void Offspring::note_seen(TaskTrace& task, const std::vector<ListedProcess>& seen) {
  const std::lock_guard lock(mutex_);
  task.seen = seen;
}

void Offspring::tend(base::Instant since) {
  const std::lock_guard lock(mutex_);
  look(since);
  reap_all();
}

void Offspring::look(base::Instant since) {
  if (looked_at_ && *looked_at_ >= since) return;
  looked_at_ = base::now();
  ++looks_;
  std::vector<pid_t> unknown;
  for (const pid_t pid : list_.read()) {
    if (children_.contains(pid)) continue;
    const auto known = orphans_.find(pid);
    if (known == orphans_.end()) {
      unknown.push_back(pid);
    } else {
      known->second.look = looks_;
    }
  }
  // Somebody else has waited for the others: their numbers can come to mean anybody.
  std::erase_if(orphans_, [this](const auto& entry) { return entry.second.look != looks_; });
  if (unknown.empty()) return;
  for (const pid_t pid : unknown) take_in(pid);
  reap_all();
}

void Offspring::take_in(pid_t pid) {
  const auto process = find_process(pid);
  if (!process) return;
  Orphan orphan{.look = looks_, .found_at = base::now()};
  orphan.is_foreign = process->session == ::getsid(0);
  if (!orphan.is_foreign) orphan.task = task_of(*process);
  orphans_.emplace(pid, orphan);
}

const TaskTrace* Offspring::task_of(const ListedProcess& process) const {
  // A session is that of the leader that began it: nobody can enter one.
  const auto leader = children_.find(process.session);
  if (leader != children_.end() && leader->second.task != nullptr) return leader->second.task;
  const auto* seen_by = find_task([&](const TaskTrace& task) {
    return std::ranges::any_of(task.seen, [&](const auto& one) { return one.is_same_as(process); });
  });
  if (seen_by != nullptr || process.is_zombie) return seen_by;
  const auto marks = marks_of_orphan(process.pid);
  return find_task([&](const TaskTrace& task) { return have_mark(marks, task.mark); });
}

template <typename Is>
const TaskTrace* Offspring::find_task(Is is) const {
  for (const auto& [pid, child] : children_) {
    if (child.task != nullptr && is(*child.task)) return child.task;
  }
  return nullptr;
}

void Offspring::reap_all() {
  reap([](const Orphan& orphan) { return orphan.task != nullptr || strays_are_claimed.load(); });
}

/// Waits for the orphans that have ended, among those that may be waited for.
template <typename May>
void Offspring::reap(May may) {
  // A child of ours may be among them that spawn() has not made known.
  if (spawns_of_first_thread.load() != 0) return;
  std::erase_if(orphans_, [&](const auto& entry) {
    const auto& [pid, orphan] = entry;
    if (orphan.is_foreign || !may(orphan)) return false;
    siginfo_t info{};
    const bool was_taken = ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG) != 0;
    return was_taken || info.si_pid != 0;
  });
}

}  // namespace osiiso::process
