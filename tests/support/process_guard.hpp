// SPDX-License-Identifier: MIT
#pragma once

#include <dirent.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <thread>

#include <doctest/doctest.h>

namespace osiiso::test {

/// Stands at the beginning of every test that starts processes, and checks at its end that the
/// test left nothing: open descriptors and this thread's signal mask as before, no child, no
/// grandchild. Orphans of the test become children of this process (it is a subreaper meanwhile),
/// so that none can hide.
class ProcessGuard {
 public:
  ProcessGuard() : descriptors_(open_descriptors()), mask_(signal_mask()) {
    ::prctl(PR_GET_CHILD_SUBREAPER, &was_subreaper_);
    ::prctl(PR_SET_CHILD_SUBREAPER, 1L);
  }
  ~ProcessGuard() {
    CHECK(all_children_are_gone());
    CHECK_FALSE(found_unreaped_);
    ::prctl(PR_SET_CHILD_SUBREAPER, static_cast<long>(was_subreaper_));
    CHECK(open_descriptors() == descriptors_);
    CHECK(signal_mask() == mask_);
  }
  ProcessGuard(const ProcessGuard&) = delete;
  ProcessGuard& operator=(const ProcessGuard&) = delete;

 private:
  using Descriptors = std::map<int, std::string>;

  static Descriptors open_descriptors() {
    Descriptors found;
    DIR* const directory = ::opendir("/proc/self/fd");
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is ours alone
    while (const dirent* entry = ::readdir(directory)) {
      const int number = std::atoi(entry->d_name);
      if (entry->d_name[0] == '.' || number == ::dirfd(directory)) continue;
      std::array<char, 256> target{};
      const std::string link = std::string("/proc/self/fd/") + entry->d_name;
      if (::readlink(link.c_str(), target.data(), target.size() - 1) < 0) continue;
      // The list of our own children, which the first command of the process opens for good.
      if (std::string_view(target.data()).ends_with("/children")) continue;
      found[number] = target.data();
    }
    ::closedir(directory);
    return found;
  }

  static std::string signal_mask() {
    sigset_t mask;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    std::string text;
    for (int signal = 1; signal < NSIG; ++signal)
      text += ::sigismember(&mask, signal) == 1 ? '1' : '0';
    return text;
  }

  // What was killed may need a moment to be gone, a process that nobody has killed never is.
  bool all_children_are_gone() {
    for (int look = 0; look < 2000; ++look) {
      siginfo_t info{};
      while (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0) {
        // A zombie that leads its session was started by us and should have been reaped; others
        // are orphans.
        found_unreaped_ |= ::getsid(info.si_pid) == info.si_pid;
        ::waitid(P_PID, static_cast<id_t>(info.si_pid), &info, WEXITED);
        info = {};
      }
      if (info.si_pid == 0 && ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
        return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return false;
  }

  Descriptors descriptors_;
  std::string mask_;
  int was_subreaper_ = 0;
  bool found_unreaped_ = false;
};

}  // namespace osiiso::test
