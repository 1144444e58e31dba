// SPDX-License-Identifier: MIT
// Passes the FIFO of its argument and stops itself, for ever again when it is continued.
#include <csignal>

#include "signpost.hpp"

int main(int, char** argv) {
  signpost(argv[1]);
  for (;;) std::raise(SIGSTOP);
}
