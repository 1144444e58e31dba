// SPDX-License-Identifier: MIT
#include "base/signals.hpp"

#include <pthread.h>

namespace osiiso::base {

sigset_t all_signals() {
  sigset_t all;
  ::sigfillset(&all);
  return all;
}

SignalsBlocked::SignalsBlocked() {
  const auto all = all_signals();
  ::pthread_sigmask(SIG_SETMASK, &all, &before_);
}

SignalsBlocked::~SignalsBlocked() {
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void suffer(int signal) {
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  struct sigaction action_before {};
  ::sigaction(signal, &by_default, &action_before);
  ::raise(signal);
  sigset_t only;
  ::sigemptyset(&only);
  ::sigaddset(&only, signal);
  sigset_t mask_before;
  ::pthread_sigmask(SIG_UNBLOCK, &only, &mask_before);
  ::pthread_sigmask(SIG_SETMASK, &mask_before, nullptr);
  ::sigaction(signal, &action_before, nullptr);
}

}  // namespace osiiso::base
