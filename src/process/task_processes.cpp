// SPDX-License-Identifier: MIT
#include "process/task_processes.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <ctime>
#include <iterator>
#include <thread>

#include "base/format.hpp"
#include "process/marked_processes.hpp"
#include "process/offspring.hpp"

namespace osiiso::process {
namespace {

using namespace std::chrono_literals;

constexpr Duration kFirstLook = 1ms;
constexpr Duration kLongestLook = 50ms;

constexpr int kMostLooks = 10;
constexpr Duration kCarePeriod = 5s;

// Of each leaked process and of their number so much is reported.
constexpr std::size_t kLongestCommand = 256;
constexpr std::size_t kMostDescribed = 10'000;

std::string command_line(pid_t pid) {
  std::string text = read_of_process(pid, "cmdline", kLongestCommand);
  if (text.empty()) text = read_of_process(pid, "comm", kLongestCommand);
  while (!text.empty() && (text.back() == '\0' || text.back() == '\n')) text.pop_back();
  std::ranges::replace(text, '\0', ' ');
  return text;
}

Duration since_boot() {
  timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

Duration started_after_boot(const ListedProcess& process) {
  static const auto ticks_per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return std::chrono::milliseconds(process.started * 1000 / ticks_per_second);
}

/// Returns by how much it took longer: see `ChildRun::leave_out_pause`.
Duration sleep_and_tell_delay(Duration span) {
  const base::Instant before = base::now();
  std::this_thread::sleep_for(span);
  return std::max(base::now() - before - span, Duration{0});
}

/// Those orphans that still run, and what is below them.
std::vector<ListedProcess> trees_in(const ProcessSnapshot& snapshot,
                                    const std::vector<pid_t>& orphans) {
  std::vector<ListedProcess> found;
  for (const ListedProcess& child : snapshot.children(::getpid())) {
    if (!std::ranges::binary_search(orphans, child.pid)) continue;
    found.push_back(child);
    std::ranges::move(snapshot.below(child.pid), std::back_inserter(found));
  }
  return found;
}

/// The orphans of a task (of nobody: null), and what is below them.
std::vector<ListedProcess> trees_of(const TaskTrace* task, base::Instant since) {
  for (int look = 1;; ++look) {
    const auto orphans = Offspring::instance().orphans_of(task, since);
    if (orphans.pids.empty()) return {};
    auto found = trees_in(*snapshot_since(orphans.looked_at), orphans.pids);
    if (!found.empty() || look == kMostLooks) return found;
    // They ended in between, and what was below them may have come to us.
    since = base::now();
  }
}

}  // namespace

bool owns_orphans() {
  int is_subreaper = 0;
  return ::prctl(PR_GET_CHILD_SUBREAPER, &is_subreaper) == 0 && is_subreaper != 0;
}

OrphanCare::OrphanCare() {
  if (owns_orphans()) next_ = base::saturating_add(base::now(), kCarePeriod);
}

void OrphanCare::on_deadline(base::Instant now) {
  if (!next_ || now < *next_) return;
  Offspring::instance().tend(now);
  next_ = base::saturating_add(now, kCarePeriod);
}

std::vector<LeakedProcess> stop_strays(Duration grace) {
  std::vector<LeakedProcess> described;
  if (!owns_orphans()) return described;
  std::set<std::pair<pid_t, std::uint64_t>> known;
  const auto find = [&](base::Instant now) {
    auto strays = trees_of(nullptr, now);
    std::vector<ListedProcess> further;
    for (const auto& stray : strays) {
      if (known.emplace(stray.pid, stray.started).second) further.push_back(stray);
    }
    std::ranges::move(describe(std::move(further)), std::back_inserter(described));
    return strays;
  };
  stop_all(find, grace);
  return described;
}

// A task's processes

TaskProcesses::TaskProcesses(pid_t leader, std::string mark) : trace_{leader, std::move(mark)} {
  Offspring::instance().add_task(trace_);
}

TaskProcesses::~TaskProcesses() {
  Offspring::instance().remove_task(trace_);
}

bool TaskProcesses::has_orphans(base::Instant since) {
  return !Offspring::instance().orphans_of(&trace_, since).pids.empty();
}

std::vector<ListedProcess> TaskProcesses::others(base::Instant since) {
  if (!owns_orphans()) {
    auto members = snapshot_since(since)->group(trace_.leader);
    std::erase_if(members, [this](const ListedProcess& one) { return one.pid == trace_.leader; });
    return members;
  }
  auto found = trees_of(&trace_, since);
  std::ranges::move(snapshot_since(since)->below(trace_.leader), std::back_inserter(found));
  if (!found.empty()) Offspring::instance().note_seen(trace_, found);
  return found;
}

// What has lost its supervisor, or stands above what has, is our child.
bool TaskProcesses::is_supervised(const ListedProcess& process) const {
  if (process.parent == ::getpid()) return false;
  const auto marks = marks_of(process.pid);
  return marks && have_mark(*marks, trace_.mark) && !marks->ends_with(trace_.mark);
}

// Stopping

void Stopper::ask(const std::vector<ListedProcess>& processes, int signal) {
  for (const ListedProcess& process : processes) {
    if (!asked_.emplace(process.pid, process.started).second) continue;
    signal_process(process, signal);
    // Who is stopped (SIGSTOP, a debugger left behind) hears nothing until continued.
    signal_process(process, SIGCONT);
  }
}

void Stopper::kill(const std::vector<ListedProcess>& processes) {
  for (const ListedProcess& process : processes) signal_process(process, SIGKILL);
}

void stop_all(const std::function<std::vector<ListedProcess>(base::Instant)>& find,
              Duration grace) {
  base::Instant kill_at = base::saturating_add(base::now(), grace);
  Stopper stopper;
  for (Duration pause = kFirstLook;; pause = std::min(2 * pause, kLongestLook)) {
    const base::Instant now = base::now();
    const auto left = find(now);
    if (left.empty() || now >= base::saturating_add(kill_at, kUnkillable)) return;
    if (now < kill_at) {
      stopper.ask(left, SIGTERM);
      kill_at = base::saturating_add(kill_at, sleep_and_tell_delay(std::min(pause, kill_at - now)));
    } else {
      Stopper::kill(left);
      std::this_thread::sleep_for(pause);
    }
  }
}

std::vector<LeakedProcess> describe(std::vector<ListedProcess> processes) {
  std::ranges::sort(processes, [](const ListedProcess& one, const ListedProcess& other) {
    return std::pair(one.started, one.pid) < std::pair(other.started, other.pid);
  });
  std::vector<LeakedProcess> described;
  const Duration now = since_boot();
  for (const ListedProcess& process : processes) {
    if (described.size() == kMostDescribed) break;
    described.push_back({.pid = process.pid,
                         .command = command_line(process.pid),
                         .age = std::max(now - started_after_boot(process), Duration{0})});
  }
  return described;
}

std::string left_behind(std::size_t count) {
  return base::format("left {} {} behind", count, count == 1 ? "process" : "processes");
}

}  // namespace osiiso::process
