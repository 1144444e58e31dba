// SPDX-License-Identifier: MIT
// leave_behind COUNT: exits at once, but that many children hold its streams for ever.
#include <unistd.h>

#include <cstdlib>

int main(int, char** argv) {
  for (int count = std::atoi(argv[1]); count > 0; --count) {
    if (::fork() == 0) {
      for (;;) ::pause();
    }
  }
}
