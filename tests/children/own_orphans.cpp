// SPDX-License-Identifier: MIT
// own_orphans PROGRAM ARGUMENT...: becomes that program, as a subreaper.
#include <sys/prctl.h>
#include <unistd.h>

int main(int, char** argv) {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1L) != 0) return 1;
  ::execv(argv[1], argv + 1);
  return 1;
}
