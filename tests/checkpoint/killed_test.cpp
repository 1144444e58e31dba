// SPDX-License-Identifier: MIT
#include <sys/wait.h>
#include <unistd.h>

#include <any>
#include <csignal>
#include <memory>
#include <random>
#include <string>

#include <doctest/doctest.h>

#include "osiiso/checkpoint.hpp"

#include "support/process_guard.hpp"
#include "support/program.hpp"

using osiiso::Checkpoint;

namespace {

/// Records numbers from `first` on and tells of each, once it is recorded, by a byte.
[[noreturn]] void record_for_ever(const std::string& path, int first, int told) {
  Checkpoint checkpoint(path);
  for (int i = first;; ++i) {
    const auto task = checkpoint.recorder<int>("space", std::to_string(i), "name");
    if (i % 7 == 0) task->record_end(osiiso::Status::failed);
    task->record_success(i);
    const char byte = '.';
    if (::write(told, &byte, 1) != 1) ::_exit(1);
  }
}

}  // namespace

TEST_CASE("CHK-1: what was recorded outlives a SIGKILL at any instant, and the file opens") {
  const osiiso::test::ProcessGuard guard;
  const osiiso::test::TemporaryFolder folder;
  const std::string path = folder.path() + "/c";
  std::mt19937 random(1);
  int recorded = 0;
  for (int round = 0; round < 60; ++round) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    if (child == 0) record_for_ever(path, recorded, ends[1]);
    ::close(ends[1]);
    // Killed after so many records, in whatever it is doing then: now and then not one.
    int wanted = std::uniform_int_distribution(0, 40)(random);
    char byte = 0;
    while (wanted-- > 0 && ::read(ends[0], &byte, 1) == 1) ++recorded;
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    REQUIRE(WIFSIGNALED(status));
    while (::read(ends[0], &byte, 1) == 1) ++recorded;
    ::close(ends[0]);

    Checkpoint checkpoint(path);
    for (int i = 0; i < recorded; ++i) {
      const auto value = checkpoint.recorder<int>("space", std::to_string(i), "name")->restore();
      REQUIRE(value);
      REQUIRE(std::any_cast<int>(*value) == i);
    }
  }
  CHECK(recorded > 300);
}
