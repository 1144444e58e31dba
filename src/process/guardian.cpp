// SPDX-License-Identifier: MIT
//
// The loop of the process that the shell knows. It does as little as possible, for all that it
// knows is lost when it dies: the program watches over it in turn.
#include "process/guardian.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "base/signals.hpp"
#include "process/descendants.hpp"

namespace osiiso::process {
namespace {

void close_all_but(const GuardianEnds& ends) {
  std::array<int, 3> kept{ends.signals.get(), ends.alive.get(), ends.parent.get()};
  std::ranges::sort(kept);
  unsigned next = 0;
  for (const int descriptor : kept) {
    if (descriptor < 0) continue;
    const auto number = static_cast<unsigned>(descriptor);
    if (number > next) ::close_range(next, number - 1, 0);
    next = number + 1;
  }
  ::close_range(next, ~0U, 0);
}

[[noreturn]] void end_as(const siginfo_t& end) {
  if (end.si_code == CLD_EXITED) std::_Exit(end.si_status);
  ::prctl(PR_SET_DUMPABLE, 0);  // the program's core is the one to look at
  base::suffer(end.si_status);
  std::_Exit(128 + end.si_status);  // process 1 does not die of signals
}

class Guardian {
 public:
  Guardian(pid_t program, GuardianEnds ends) : program_(program), ends_(std::move(ends)) {}

  [[noreturn]] void run() {
    for (;;) {
      std::array<pollfd, 2> waited{
          {{ends_.signals.get(), POLLIN, 0}, {ends_.parent.get(), POLLIN, 0}}};
      if (::poll(waited.data(), waited.size(), -1) < 0) continue;
      if (waited[1].revents != 0) {
        ends_.parent.reset();
        ::kill(program_, SIGTERM);
      }
      if (waited[0].revents != 0) read_signals();
    }
  }

 private:
  void read_signals() {
    signalfd_siginfo heard{};
    while (::read(ends_.signals.get(), &heard, sizeof heard) == sizeof heard) {
      const auto signal = static_cast<int>(heard.ssi_signo);
      if (signal == SIGCHLD) {
        look_after_children();
      } else if (is_for_us_alone(heard) || program_has_left()) {
        ::kill(program_, signal);
      }
    }
  }

  /// It gets nothing any more that is sent to our group.
  bool program_has_left() const { return ::getpgid(program_) != ::getpgrp(); }

  // What the terminal sends, it sends to the program as well; but a hangup concerns the leader of
  // the session, and perhaps that is us.
  static bool is_for_us_alone(const signalfd_siginfo& heard) {
    return heard.ssi_code <= 0 || heard.ssi_signo == SIGHUP;
  }

  void look_after_children() {
    siginfo_t change{};
    while (::waitid(P_ALL, 0, &change, WEXITED | WSTOPPED | WNOHANG) == 0 && change.si_pid != 0) {
      if (change.si_pid == program_) follow(change);
      change.si_pid = 0;
    }
  }

  /// The program has ended: what it left is ours now.
  [[noreturn]] static void end_after(const siginfo_t& end) {
    if (any_child_lives()) {
      kill_descendants_of(::getpid(), kUnkillable);
      any_child_lives();
    }
    end_as(end);
  }

  /// Reaps the others.
  static bool any_child_lives() {
    siginfo_t dead{};
    while (::waitid(P_ALL, 0, &dead, WEXITED | WNOHANG) == 0) {
      if (dead.si_pid == 0) return true;
      dead.si_pid = 0;
    }
    return false;
  }

  void follow(const siginfo_t& change) {
    if (change.si_code == CLD_STOPPED) {
      base::suffer(change.si_status);
      ::kill(program_, SIGCONT);
    } else if (change.si_code != CLD_TRAPPED) {
      end_after(change);
    }
  }

  const pid_t program_;
  GuardianEnds ends_;
};

}  // namespace

void guard(pid_t program, GuardianEnds ends) {
  close_all_but(ends);
  Guardian(program, std::move(ends)).run();
}

}  // namespace osiiso::process
