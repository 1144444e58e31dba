// SPDX-License-Identifier: MIT
// What a command prints.
#include <sys/resource.h>

#include <chrono>
#include <string>

#include <doctest/doctest.h>

#include "process/running.hpp"
#include "support/process_guard.hpp"

using namespace osiiso;
using namespace osiiso::test;
using namespace std::chrono_literals;

TEST_CASE("bytes are kept as they are") {
  const ProcessGuard guard;
  CHECK(run(Command::shell("printf 'a\\000b\\377'")).output.stdout_text ==
        std::string("a\0b\xff", 4));
}

TEST_CASE("a flood on both streams is counted and kept in bounded memory") {
  const ProcessGuard guard;
  rusage before{};
  ::getrusage(RUSAGE_SELF, &before);
  const Ended ended = run_child("flood", {"200000000", "100000001"});
  rusage after{};
  ::getrusage(RUSAGE_SELF, &after);

  CHECK_FALSE(ended.cause);
  CHECK(ended.output.stdout_bytes == 200'000'000);
  CHECK(ended.output.stderr_bytes == 100'000'001);
  CHECK(ended.output.truncated);
  CHECK(ended.output.stdout_text.size() < 70'000);
  CHECK(ended.output.stderr_text.size() < 70'000);
  CHECK(after.ru_maxrss - before.ru_maxrss < 50'000);  // KiB
}

TEST_CASE("a flood does not keep a command from being stopped") {
  const ProcessGuard guard;
  const Signpost signpost;
  Running running(Command::argv({child("flood"), "0", "0", signpost.fifo()}));
  signpost.wait();
  running.stop({.grace = 1000s});
  const Ended ended = running.end();
  CHECK(ended.output.signal == SIGTERM);
  CHECK(ended.output.stdout_bytes > 0);
  CHECK(ended.output.stderr_bytes > 0);
}

TEST_CASE("a command may close its streams") {
  const ProcessGuard guard;
  const Ended ended = run_child("close_streams");
  CHECK(ended.output.exit_code == 5);
  CHECK(ended.output.stdout_text.empty());
}

TEST_CASE("what a command wrote before it died is kept") {
  const ProcessGuard guard;
  const Ended ended = run(Command::shell("echo out; echo err >&2; kill -9 $$"));
  CHECK(ended.output.signal == SIGKILL);
  CHECK(ended.output.stdout_text == "out\n");
  CHECK(ended.message == "err");
}
