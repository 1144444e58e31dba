// SPDX-License-Identifier: MIT
#pragma once

#include <csignal>

namespace osiiso::base {

sigset_t all_signals();

/// Blocks all signals of this thread. Threads started meanwhile begin with all of them blocked: no
/// signal handler of the program's runs on them.
class SignalsBlocked {
 public:
  SignalsBlocked();
  ~SignalsBlocked();
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

/// Does to this process what the signal does where nobody handles, ignores or blocks it. Returns
/// when the process is continued, or where the kernel drops the signal.
void suffer(int signal);

}  // namespace osiiso::base
