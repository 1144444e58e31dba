// SPDX-License-Identifier: MIT
//
// For tests whose worker processes are executions of the test itself.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "osiiso/process_queue.hpp"

int main(int argc, char** argv) {
  if (const auto code = osiiso::worker_main(argc, argv)) return *code;
  return doctest::Context(argc, argv).run();
}
