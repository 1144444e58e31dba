// SPDX-License-Identifier: MIT
#include <iostream>

#include <osiiso/osiiso.hpp>

int main() {
  osiiso::ThreadQueue queue({.workers = 2});
  auto sum = queue.submit(
      {.name = "sum"}, [](int a, int b) { return a + b; }, 40, 2);
  auto hello = queue.submit({.name = "hello"}, osiiso::Command::shell("echo hello"));
  const auto summary = queue.run();
  summary.display(std::cout);
  return summary.ok() && sum.value() == 42 && hello.value().stdout_text == "hello\n" ? 0 : 1;
}
