// SPDX-License-Identifier: MIT
// Ignores SIGTERM, passes the FIFO of its argument, and waits for ever.
#include <unistd.h>

#include <csignal>

#include "signpost.hpp"

int main(int, char** argv) {
  std::signal(SIGTERM, SIG_IGN);
  signpost(argv[1]);
  for (;;) ::pause();
}
