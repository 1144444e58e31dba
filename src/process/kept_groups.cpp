// SPDX-License-Identifier: MIT
#include "process/kept_groups.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "base/signals.hpp"
#include "process/process_list.hpp"

namespace osiiso::process {
namespace {

// Reads pipes and drops what comes, on a thread of its own that lives as long as there are any.
class Drain {
 public:
  Drain() : wake_(base::make_eventfd()) {
    // A thread that the host does not know of must not run the host's signal handlers.
    const base::SignalsBlocked blocked;
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  ~Drain() {
    thread_.request_stop();
    base::wake(wake_);
  }

  void add(base::Descriptor pipe) {
    {
      const std::lock_guard lock(mutex_);
      arrived_.push_back(std::move(pipe));
    }
    base::wake(wake_);
  }

 private:
  void run(const std::stop_token& stop) {
    std::vector<base::Descriptor> pipes;
    std::vector<pollfd> waited;
    while (!stop.stop_requested()) {
      {
        const std::lock_guard lock(mutex_);
        std::ranges::move(arrived_, std::back_inserter(pipes));
        arrived_.clear();
      }
      waited.clear();
      for (const base::Descriptor& pipe : pipes) waited.push_back({pipe.get(), POLLIN, 0});
      waited.push_back({wake_.get(), POLLIN, 0});
      ::poll(waited.data(), waited.size(), -1);
      for (const pollfd& one : waited) {
        if (one.revents != 0 && at_end(one.fd)) {
          std::erase_if(pipes, [&](const base::Descriptor& pipe) { return pipe.get() == one.fd; });
        }
      }
    }
  }

  static bool at_end(int descriptor) {
    std::array<char, 16UL * 1024> dropped;
    return ::read(descriptor, dropped.data(), dropped.size()) == 0;
  }

  const base::Descriptor wake_;
  std::mutex mutex_;
  std::vector<base::Descriptor> arrived_;
  std::jthread thread_;  // last: it uses all others, and is joined first
};

struct KeptOfRun {
  std::vector<Kept> commands;
  std::unique_ptr<Drain> drain;
};

struct Registry {
  std::mutex mutex;
  std::unordered_map<std::string, KeptOfRun> runs;
};

// Never destroyed: a worker thread may still end an attempt while the program exits.
Registry& registry() {
  static Registry* const kept = new Registry;
  return *kept;
}

// A host that waits for all children may have reaped one: then its number can mean anybody.
bool is_ours(const Kept& kept) {
  siginfo_t ignored{};
  return ::waitid(P_PIDFD, static_cast<id_t>(kept.child.pidfd.get()), &ignored,
                  WEXITED | WNOHANG | WNOWAIT) == 0;
}

}  // namespace

void keep(const std::string& run_id, Kept&& kept, base::Descriptor&& stdout_pipe,
          base::Descriptor&& stderr_pipe) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  KeptOfRun& run = all.runs[run_id];
  if (!run.drain) run.drain = std::make_unique<Drain>();
  run.commands.push_back(std::move(kept));
  run.drain->add(std::move(stdout_pipe));
  run.drain->add(std::move(stderr_pipe));
}

bool any_kept(const std::string& run_id) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  return all.runs.contains(run_id);
}

std::size_t stop_kept(const std::string& run_id, Duration grace) {
  KeptOfRun run;  // its drain goes on until they are gone
  {
    Registry& all = registry();
    const std::lock_guard lock(all.mutex);
    const auto place = all.runs.find(run_id);
    if (place == all.runs.end()) return 0;
    run = std::move(place->second);
    all.runs.erase(place);
  }
  std::erase_if(run.commands, [](const Kept& kept) { return !is_ours(kept); });
  const auto find = [&](base::Instant now) {
    std::vector<ListedProcess> left;
    for (const Kept& kept : run.commands) {
      std::ranges::move(kept.processes->others(now), std::back_inserter(left));
    }
    return left;
  };
  if (!run.commands.empty()) stop_all(find, grace);
  for (Kept& kept : run.commands) reap(kept.child);
  return run.commands.size();
}

}  // namespace osiiso::process
