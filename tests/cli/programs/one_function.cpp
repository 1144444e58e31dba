// SPDX-License-Identifier: MIT
// one_function: runs one function on a process queue of one worker, which needs one process or
// thread after the other in an order that never changes. Prints what became of the task.
#include <iostream>

#include <osiiso/osiiso.hpp>

int main(int argc, char** argv) {
  if (const auto code = osiiso::worker_main(argc, argv)) return *code;
  osiiso::ProcessQueue queue({.workers = 1});
  const auto task = queue.submit([] {});
  queue.run();
  const auto result = task.result();
  std::cout << (result->exception ? "failed: " : "done") << result->message << '\n';
}
