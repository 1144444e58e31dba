// SPDX-License-Identifier: MIT
// flood OUT ERR [FIFO]: writes that many bytes to stdout and stderr, alternately in large pieces,
// for ever where both are 0. Passes the FIFO after the first pieces.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "signpost.hpp"

int main(int, char** argv) {
  const std::string piece(100'000, 'x');
  unsigned long left[2] = {std::strtoul(argv[1], nullptr, 10), std::strtoul(argv[2], nullptr, 10)};
  const bool for_ever = left[0] == 0 && left[1] == 0;
  bool passed = false;
  while (for_ever || left[0] > 0 || left[1] > 0) {
    for (int stream : {0, 1}) {
      const std::size_t wanted = for_ever ? piece.size() : std::min(left[stream], piece.size());
      const ssize_t written = wanted == 0 ? 0 : ::write(stream + 1, piece.data(), wanted);
      if (written < 0) return 1;
      if (!for_ever) left[stream] -= static_cast<unsigned long>(written);
    }
    if (!passed) signpost(argv[3]);
    passed = true;
  }
}
