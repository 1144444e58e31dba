// SPDX-License-Identifier: MIT
// Children that nobody waits for until they have executed.
#include "process/half_start.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <future>
#include <optional>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "process/child_loop.hpp"
#include "process/spawn_gate.hpp"
#include "support/process_guard.hpp"

using namespace osiiso;
using namespace osiiso::test;
using namespace std::chrono_literals;

TEST_CASE("many children that start at the same time have each its own words") {
  const ProcessGuard guard;
  constexpr int kMany = 200;
  ChildLoop loop;
  for (int i = 0; i < kMany; ++i) {
    loop.begin(i % 3 == 0 ? Command::argv({"osiiso-no-such-program"})
                          : Command::argv({"echo", std::to_string(i)}));
  }
  const auto ended = loop.end();
  REQUIRE(ended.size() == kMany);
  for (const auto& [i, result] : ended) {
    CAPTURE(i);
    if (i % 3 == 0) {
      REQUIRE(result.not_started);
      CHECK(std::string(result.not_started->what()) ==
            "cannot run 'osiiso-no-such-program': No such file or directory");
    } else {
      CHECK_FALSE(result.not_started);
      CHECK(result.output.stdout_text == std::to_string(i) + "\n");
    }
  }
}

TEST_CASE("a child that is stopped at once ends, whether it had executed or not") {
  const ProcessGuard guard;
  ChildLoop loop;
  for (int i = 0; i < 50; ++i) loop.stop(loop.begin(Command::argv({"sleep", "1000"})));
  const auto ended = loop.end();
  REQUIRE(ended.size() == 50);
  for (const auto& [i, result] : ended) CHECK(result.output.signal == SIGKILL);
}

TEST_CASE("children that are abandoned at once leave nothing behind") {
  const ProcessGuard guard;
  ChildLoop loop;
  for (int i = 0; i < 20; ++i) loop.begin(Command::argv({"sleep", "1000"}));
}

TEST_CASE("a string that a shell turns out to be needed for is one after all") {
  const ProcessGuard guard;
  ChildLoop loop;
  loop.begin(Command::shell("osiiso-no-such-program 1"));
  const auto result = loop.end().at(0);
  CHECK(result.output.exit_code == 127);
  CHECK(result.output.stderr_text.find("not found") != std::string::npos);
}

TEST_CASE("whoever waits at a closed gate is not half started") {
  const ProcessGuard guard;
  std::optional<process::SpawnGateClosed> outer(std::in_place, 1s);
  const auto waiting = std::async(std::launch::async, [] {
    ChildLoop loop;
    loop.begin(Command::argv({"true"}));
    loop.end();
  });
  for (int look = 0; look < 10; ++look) {
    std::this_thread::sleep_for(2ms);
    CHECK(process::SpawnGateClosed(1ms).nobody_is_inside());
  }
  outer.reset();
  waiting.wait();
}

TEST_CASE("what the program does to its variables is nothing to a child that has begun") {
  const ProcessGuard guard;
  std::string variable = "OSIISO_TEST_BORROWED=before";
  ::putenv(variable.data());
  ChildLoop loop;
  for (int i = 0; i < 20; ++i) loop.begin(Command::shell("exec printenv OSIISO_TEST_BORROWED"));
  variable.replace(variable.find('=') + 1, std::string::npos, "behind");
  const auto ended = loop.end();
  ::unsetenv("OSIISO_TEST_BORROWED");
  for (const auto& [i, result] : ended) CHECK(result.output.stdout_text == "before\n");
}

TEST_CASE("the gate waits for those that are half started, as long as its patience lasts") {
  std::atomic<int> shares_memory = 0;
  const process::HalfStarted notice(shares_memory);
  CHECK(process::SpawnGateClosed(1ms).nobody_is_inside());
  shares_memory = 1;
  CHECK_FALSE(process::SpawnGateClosed(5ms).nobody_is_inside());
  shares_memory = 0;
  CHECK(process::SpawnGateClosed(1ms).nobody_is_inside());
}
