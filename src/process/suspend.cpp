// SPDX-License-Identifier: MIT
#include <sys/types.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <mutex>
#include <set>
#include <thread>

#include "osiiso/own_process.hpp"

#include "base/clock.hpp"
#include "base/signals.hpp"
#include "process/descendants.hpp"
#include "process/spawn_gate.hpp"

namespace osiiso {
namespace {

using namespace std::chrono_literals;

// A process takes a moment to stop, and may start others until then; one that sleeps in the kernel
// takes as long as it sleeps and is not waited for.
constexpr int kMostLooks = 50;
constexpr Duration kBetweenLooks = 2ms;

// A start that takes longer hangs, on a network file system perhaps.
constexpr Duration kSpawnPatience = 1s;

/// Those that were not stopped before.
std::set<pid_t> stop_descendants() {
  std::set<pid_t> stopped;
  for (int look = 0; look < kMostLooks; ++look) {
    bool all_stand_still = true;
    for (const auto& process : process::descendants_of(::getpid())) {
      if (process.is_stopped || ::kill(process.pid, SIGSTOP) != 0) continue;
      stopped.insert(process.pid);
      all_stand_still = false;
    }
    if (all_stand_still) break;
    std::this_thread::sleep_for(kBetweenLooks);
  }
  return stopped;
}

void continue_descendants(const std::set<pid_t>& stopped) {
  // A number that means somebody else by now is not below us.
  for (const auto& process : process::descendants_of(::getpid())) {
    if (stopped.contains(process.pid)) ::kill(process.pid, SIGCONT);
  }
}

/// While it lives, SIGHUP does not end this process.
class HangupIgnored {
 public:
  HangupIgnored() {
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGHUP, &ignore, &before_);
  }
  ~HangupIgnored() { ::sigaction(SIGHUP, &before_, nullptr); }
  HangupIgnored(const HangupIgnored&) = delete;
  HangupIgnored& operator=(const HangupIgnored&) = delete;

 private:
  struct sigaction before_ {};
};

/// Not by SIGSTOP: the kernel drops SIGTSTP where nobody could continue us.
void stop_this_process() {
  // Where the guardian is killed meanwhile, the kernel sends us this and SIGCONT.
  const HangupIgnored ignored;
  base::suffer(SIGTSTP);
  const bool guardian_lives = guardian_pid() == 0 || ::getppid() == guardian_pid();
  if (guardian_lives) return;
  // All below is to die stopped as it is, and we after it, see `own_process`.
  for (;;) ::pause();
}

}  // namespace

void suspend() {
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  const process::SpawnGateClosed closed(kSpawnPatience);
  if (!closed.nobody_is_inside()) return;
  const base::ClockPause pause;
  const auto stopped = stop_descendants();
  stop_this_process();
  continue_descendants(stopped);
}

}  // namespace osiiso
