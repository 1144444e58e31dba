// SPDX-License-Identifier: MIT
#include "process/kept_groups.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "process/process_list.hpp"

namespace osiiso::process {
namespace {

using namespace std::chrono_literals;

constexpr Duration kFirstLook = 1ms;
constexpr Duration kLongestLook = 50ms;
constexpr Duration kUnkillable = 2s;

// Reads pipes and drops what comes, on a thread of its own that lives as long as there are any.
class Drain {
 public:
  Drain() : wake_(base::make_eventfd()) {
    // A thread that the host does not know of must not run the host's signal handlers.
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    } catch (...) {
      ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
      throw;
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  ~Drain() {
    thread_.request_stop();
    wake();
  }

  void add(base::Descriptor pipe) {
    {
      const std::lock_guard lock(mutex_);
      arrived_.push_back(std::move(pipe));
    }
    wake();
  }

 private:
  void wake() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
  }

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

struct Registry {
  std::mutex mutex;
  std::vector<Child> children;
  std::unique_ptr<Drain> drain;
};

// Never destroyed: a worker thread may still end an attempt while the program exits.
Registry& registry() {
  static Registry* const kept = new Registry;
  return *kept;
}

std::size_t count_live(const std::vector<Child>& children) {
  std::size_t count = 0;
  for_each_process([&](const ListedProcess& process) {
    count += std::ranges::find(children, process.group, &Child::pid) != children.end();
  });
  return count;
}

void signal_all(const std::vector<Child>& children, int signal) {
  for (const Child& child : children) ::kill(-child.pid, signal);
}

bool wait_for_end(const std::vector<Child>& children, base::Instant until) {
  for (Duration pause = kFirstLook; count_live(children) != 0;) {
    const base::Instant now = base::now();
    if (now >= until) return false;
    std::this_thread::sleep_for(std::min(pause, until - now));
    pause = std::min(2 * pause, kLongestLook);
  }
  return true;
}

// A host that waits for all children may have reaped one: then its number can mean anybody.
bool is_ours(const Child& child) {
  siginfo_t ignored{};
  return ::waitid(P_PIDFD, static_cast<id_t>(child.pidfd.get()), &ignored,
                  WEXITED | WNOHANG | WNOWAIT) == 0;
}

void reap(const Child& child) {
  siginfo_t ignored{};
  while (::waitid(P_PIDFD, static_cast<id_t>(child.pidfd.get()), &ignored, WEXITED) != 0 &&
         errno == EINTR) {
  }
}

}  // namespace

void keep(Child&& child, base::Descriptor&& stdout_pipe, base::Descriptor&& stderr_pipe) {
  Registry& kept = registry();
  const std::lock_guard lock(kept.mutex);
  if (!kept.drain) kept.drain = std::make_unique<Drain>();
  kept.children.push_back(std::move(child));
  kept.drain->add(std::move(stdout_pipe));
  kept.drain->add(std::move(stderr_pipe));
}

bool any_kept() {
  Registry& kept = registry();
  const std::lock_guard lock(kept.mutex);
  return !kept.children.empty();
}

std::size_t stop_kept(Duration grace) {
  std::vector<Child> children;
  std::unique_ptr<Drain> drain;  // goes on until they are gone
  {
    Registry& kept = registry();
    const std::lock_guard lock(kept.mutex);
    children = std::exchange(kept.children, {});
    drain = std::move(kept.drain);
  }
  std::erase_if(children, [](const Child& child) { return !is_ours(child); });
  if (children.empty()) return 0;  // no need to look through all processes
  if (grace > Duration::zero()) {
    signal_all(children, SIGTERM);
    signal_all(children, SIGCONT);
    wait_for_end(children, base::saturating_add(base::now(), grace));
  }
  signal_all(children, SIGKILL);
  wait_for_end(children, base::saturating_add(base::now(), kUnkillable));
  for (const Child& child : children) reap(child);
  return children.size();
}

}  // namespace osiiso::process
