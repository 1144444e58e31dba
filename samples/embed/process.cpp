// SPDX-License-Identifier: MIT
//
// The process queue: functions that may crash, each in a worker process of this program's own.
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include <osiiso/osiiso.hpp>

namespace {

std::string parse(const std::string& text) {
  if (text.empty()) throw std::invalid_argument("Invalid JSON at line 42");
  return "parsed " + text;
}

void crash() {
  std::abort();
}

}  // namespace

int main(int argc, char** argv) {
  // In a worker process this serves tasks; otherwise it returns at once.
  if (const auto code = osiiso::worker_main(argc, argv)) return *code;

  osiiso::ProcessQueue queue({.workers = 2});
  auto good = queue.submit({.name = "good"}, parse, std::string("page"));
  auto bad = queue.submit({.name = "parse-data"}, parse, std::string());
  auto fatal = queue.submit({.name = "fatal"}, crash);
  auto area = queue.submit([](int width, int height) { return width * height; }, 6, 7);

  const osiiso::RunSummary summary = queue.run();
  summary.display(std::cout);

  std::cout << good.value() << ", " << area.value() << '\n';
  try {
    bad.value();
  } catch (const osiiso::RemoteError& error) {
    std::cout << error.type_name() << ": " << error.what() << '\n';
  }
  return fatal.result()->message == "worker process died (SIGABRT)" && summary.failed == 2 ? 0 : 1;
}
