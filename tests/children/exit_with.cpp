// SPDX-License-Identifier: MIT
// exit_with CODE [TEXT]: prints TEXT on stderr and exits.
#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  if (argc > 2) std::fputs(argv[2], stderr);
  return std::atoi(argv[1]);
}
