// SPDX-License-Identifier: MIT
// Prints the numbers of its open descriptors, in order.
#include <dirent.h>

#include <cstdio>
#include <cstdlib>
#include <set>

int main() {
  DIR* const directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) return 1;
  std::set<int> numbers;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] != '.') numbers.insert(std::atoi(entry->d_name));
  }
  numbers.erase(::dirfd(directory));
  for (const int number : numbers) std::printf("%d ", number);
}
