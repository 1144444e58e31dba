// SPDX-License-Identifier: MIT
// die_of SIGNAL [core]: kills itself; with `core` as large a core dump as it may have is allowed.
#include <sys/resource.h>

#include <csignal>
#include <cstdlib>

int main(int argc, char** argv) {
  rlimit limit{0, 0};
  if (argc > 2) {
    ::getrlimit(RLIMIT_CORE, &limit);
    limit.rlim_cur = limit.rlim_max;
  }
  ::setrlimit(RLIMIT_CORE, &limit);
  std::raise(std::atoi(argv[1]));
}
