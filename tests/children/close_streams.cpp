// SPDX-License-Identifier: MIT
// Closes its standard streams, passes the FIFO of its argument, and exits with 5.
#include <unistd.h>

#include "signpost.hpp"

int main(int, char** argv) {
  for (int stream = 0; stream < 3; ++stream) ::close(stream);
  signpost(argv[1]);
  return 5;
}
