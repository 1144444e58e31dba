// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "cli/osiiso.hpp"

using nlohmann::json;
using osiiso::test::eventually;
using osiiso::test::osiiso_with;
using osiiso::test::run_osiiso;
using osiiso::test::run_program;
using osiiso::test::RunningProgram;
using osiiso::test::TemporaryFolder;

namespace {

const std::vector<std::string> kQueues = {"thread", "process", "async"};

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("--output grouped shows each task's streams in one piece, in submission order") {
  // The second task ends first: the first one waits for it.
  const TemporaryFolder folder;
  const auto fifo = folder.path() + "/fifo";
  const std::string job =
      "tasks:\n"
      "  - echo a; read x < " +
      fifo +
      "; echo b >&2; echo c\n"
      "  - printf d; echo > " +
      fifo +
      "; echo e >&2; exit 1\n"
      "  - echo f\n";
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    run_program({.arguments = {"rm", "-f", fifo}});
    run_program({.arguments = {"mkfifo", fifo}});
    const auto ended =
        run_osiiso({"run", "-", "--output", "grouped", "-j2", "--queue", queue}, job);
    CHECK(ended.exit_code == 1);
    CHECK(ended.out == "a\nc\ndf\n");
    CHECK(ended.err.starts_with("b\ne\n-----"));
    CHECK(ended.err.find("Run Summary: COMPLETED WITH ERRORS") != std::string::npos);
  }
}

TEST_CASE("the report begins a line where a task's output has no end") {
  const std::string map = OSIISO_PROGRAM + std::string(" map 'printf %s {}' ::: a b");
  const auto one = run_program({.arguments = {"sh", "-c", map + " 2>&1"}});
  CHECK(one.out.starts_with("ab\n-----"));
  const auto two = run_program({.arguments = {"sh", "-c", map}});
  CHECK(two.out == "ab");
  CHECK(two.err.starts_with("-----"));
  const auto to_stderr = run_osiiso({"map", "printf x >&2; : {}", ":::", "a"});
  CHECK(to_stderr.err.starts_with("x\n-----"));
}

TEST_CASE("--output tagged shows each line with the task's name, also an unfinished one") {
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    const auto ended = run_osiiso(
        {"run", "-", "--output", "tagged", "--queue", queue},
        "tasks: [{name: t, command: 'echo a; echo b; echo e >&2; printf c; exit 1', retries: 1}]");
    CHECK(ended.out == "[t] a\n[t] b\n[t] c\n[t] a\n[t] b\n[t] c\n");
    CHECK(ended.err.starts_with("[t] e\n[t] e\n-----"));
  }
}

TEST_CASE("--output tagged shows lines as they come") {
  const TemporaryFolder folder;
  const auto fifo = folder.path() + "/fifo";
  run_program({.arguments = {"mkfifo", fifo}});
  // The task ends only after its first line was seen.
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    const auto ended = run_program(
        {.arguments = {"sh", "-c",
                       std::string("echo 'tasks: [\"echo first; read x < ") + fifo + "\"]' | " +
                           OSIISO_PROGRAM + " run - --output tagged --queue " + queue +
                           " | { IFS= read -r line; echo > " + fifo +
                           "; echo \"seen: $line\"; }"}});
    CHECK(ended.out.starts_with("seen: ["));
    CHECK(count(ended.out, "first") >= 1);
  }
}

TEST_CASE("with --json all of the tasks' output goes to stderr") {
  for (const char* output : {"grouped", "tagged"}) {
    CAPTURE(output);
    const auto ended = run_osiiso({"run", "-", "--json", "--output", output}, "tasks: [echo aha]");
    CHECK(json::parse(ended.out)["ok"] == true);
    CHECK(count(ended.err, "aha") >= 1);
    CHECK(ended.err.find("Run Summary") == std::string::npos);
  }
}

TEST_CASE("tasks' output that standard output does not take is told, and exits with 74") {
  for (const char* output : {"grouped", "tagged"}) {
    CAPTURE(output);
    auto invocation = osiiso_with({"run", "-", "--output", output}, "tasks: [echo a]");
    invocation.stdout_path = "/dev/full";
    const auto ended = run_program(invocation);
    CHECK(ended.exit_code == 74);
    CHECK(ended.err.find("cannot write the tasks' output to standard output: No space left on "
                         "device; the run itself ended: PASSED") != std::string::npos);
  }
}

TEST_CASE("a run whose output nobody reads can be ended") {
  const TemporaryFolder folder;
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    const auto fifo = folder.path() + "/" + queue;
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    const int reader = ::open(fifo.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    auto invocation = osiiso_with({"run", "-", "-j2", "--output", "tagged", "--queue", queue},
                                  "tasks: [yes, yes]");
    invocation.stdout_path = fifo;
    RunningProgram running(invocation);
    CHECK(eventually([&] {
      int waiting = 0;
      return ::ioctl(reader, FIONREAD, &waiting) == 0 && waiting > 60'000;
    }));
    running.send(SIGTERM);
    CHECK(running.wait().signal == SIGTERM);
    ::close(reader);
  }
}
