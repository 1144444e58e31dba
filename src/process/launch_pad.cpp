// SPDX-License-Identifier: MIT
#include "process/launch_pad.hpp"

#include <chrono>
#include <csignal>

namespace osiiso::process {
namespace {

using namespace std::chrono_literals;

constexpr SignalSet set_of(std::initializer_list<int> signals) {
  SignalSet set = 0;
  for (const int signal : signals) set |= SignalSet{1} << (signal - 1);
  return set;
}

// Whenever the program began to.
constexpr SignalSet kUsual = set_of({SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM,
                                     SIGTERM, SIGCHLD, SIGTSTP, SIGTTIN, SIGTTOU, SIGWINCH});

// To ask takes 64 system calls, as long as half a pipe; who starts one command only asks for it.
constexpr Duration kSignalsAreKnownFor = 10ms;

}  // namespace

int LaunchPad::null_device() {
  if (!null_device_) null_device_ = base::open_for_reading("/dev/null");
  return null_device_.get();
}

SignalSet LaunchPad::signals_to_reset() {
  const base::Instant now = base::now();
  if (!asked_at_ || now - *asked_at_ > kSignalsAreKnownFor) {
    signals_ = changed_signals();
    asked_at_ = now;
  }
  return signals_ | kUsual;
}

}  // namespace osiiso::process
