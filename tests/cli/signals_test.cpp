// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>
#include <string>

#include <doctest/doctest.h>

#include "cli/osiiso.hpp"

using nlohmann::json;
using osiiso::test::count_processes;
using osiiso::test::eventually;
using osiiso::test::osiiso_with;
using osiiso::test::read_file;
using osiiso::test::RunningProgram;
using osiiso::test::TemporaryFolder;

namespace {

bool exists(const std::string& path) {
  return !read_file(path).empty();
}

/// A named pipe in `folder`, removed with it.
std::string make_fifo(const TemporaryFolder& folder) {
  const std::string path = folder.path() + "/fifo";
  if (::mkfifo(path.c_str(), 0600) != 0) throw std::runtime_error("cannot make a fifo");
  return path;
}

/// The program with these words, started by a shell after `before`.
osiiso::test::Invocation after_shell(const std::string& before,
                                     osiiso::test::Invocation invocation) {
  std::string command = before + "; exec";
  for (const auto& word : invocation.arguments) command += " '" + word + "'";
  invocation.arguments = {"/bin/sh", "-c", command};
  return invocation;
}

/// A job whose first task says in `folder`/started that it runs, then waits for ever.
std::string job(const std::string& folder, const std::string& more) {
  return "queue: {workers: 2, grace: 30s}\n"
         "tasks:\n"
         "  - {name: done, command: echo done}\n"
         "  - {name: running, needs: [done], command: 'echo yes > " +
         folder + "/started; sleep 87651; echo never'}\n" + more;
}

}  // namespace

TEST_CASE(
    "a signal ends the run in order: a report, must_complete and finally tasks, and its death") {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    CAPTURE(signal);
    const TemporaryFolder folder;
    RunningProgram program(osiiso_with({"run", "-", "--json"}, job(folder.path(), R"(
  - {name: spared, command: "sleep 0.05; echo spared", must_complete: true, delay: 0.01}
  - {name: later, command: echo later, delay: 1h}
finally: [{name: end, command: echo end}]
)")));
    REQUIRE(eventually([&] { return exists(folder.path() + "/started"); }));
    program.send(signal);
    const auto ended = program.wait();
    CHECK(ended.signal == signal);
    const auto summary = json::parse(ended.out);
    const std::string name = signal == SIGINT ? "SIGINT" : signal == SIGTERM ? "SIGTERM" : "SIGHUP";
    CHECK(summary["interrupted_by"] == name);
    CHECK(ended.err == "osiiso: interrupted by " + name + "\n");
    const auto& results = summary["results"];
    CHECK(results[0]["status"] == "succeeded");
    CHECK(results[1]["message"] == "cancelled");
    CHECK(results[2]["value"] == "spared");
    CHECK(results[3]["message"] == "cancelled before execution");
    CHECK(results[4]["value"] == "end");
    CHECK(count_processes("87651") == 0);
  }
}

TEST_CASE("a second signal kills everything at once and still reports") {
  const TemporaryFolder folder;
  RunningProgram program(osiiso_with(
      {"run", "-", "--json"},
      job(folder.path(), R"(
  - {name: stubborn, command: "trap '' INT TERM; echo yes > )" +
                             folder.path() +
                             R"(/stubborn; while :; do sleep 0.05; done", must_complete: true}
finally: [{name: end, command: echo end}]
)")));
  REQUIRE(eventually(
      [&] { return exists(folder.path() + "/started") && exists(folder.path() + "/stubborn"); }));
  program.send(SIGINT);
  REQUIRE(eventually([] { return count_processes("87651") == 0; }));
  program.send(SIGINT);
  const auto ended = program.wait();
  CHECK(ended.signal == SIGINT);
  const auto summary = json::parse(ended.out);
  CHECK(summary["cancelled"] == 3);
  CHECK(summary["results"][2]["attempt_list"][0]["signal"] == "SIGKILL");
}

TEST_CASE("a caller that ignores or blocks the signals still gets a run that can be ended") {
  const TemporaryFolder folder;
  // The shell hands an ignored SIGINT on to what it executes.
  RunningProgram program(
      after_shell("trap '' INT", osiiso_with({"run", "-"}, job(folder.path(), ""))));
  REQUIRE(eventually([&] { return exists(folder.path() + "/started"); }));
  program.send(SIGINT);
  CHECK(program.wait().signal == SIGINT);
}

TEST_CASE("under nohup a hangup changes nothing") {
  const TemporaryFolder folder;
  const auto invocation =
      osiiso_with({"run", "-"}, "tasks: ['echo yes > " + folder.path() + "/started; while [ ! -e " +
                                    folder.path() + "/go ]; do sleep 0.02; done']");
  RunningProgram program(after_shell("trap '' HUP", invocation));
  REQUIRE(eventually([&] { return exists(folder.path() + "/started"); }));
  program.send(SIGHUP);
  folder.write("go", "x");
  CHECK(program.wait().exit_code == 0);
}

TEST_CASE("in CI the whole shutdown is bounded, even of tasks that are spared and deaf") {
  const TemporaryFolder folder;
  auto invocation = osiiso_with(
      {"run", "-", "--json"},
      job(folder.path(), R"(
  - {name: stubborn, command: "trap '' INT TERM; echo yes > )" +
                             folder.path() +
                             R"(/stubborn; while :; do sleep 0.05; done", must_complete: true}
)"));
  invocation.env["CI"] = "true";
  RunningProgram program(invocation);
  REQUIRE(eventually(
      [&] { return exists(folder.path() + "/started") && exists(folder.path() + "/stubborn"); }));
  program.send(SIGTERM);
  const auto ended = program.wait();
  CHECK(ended.signal == SIGTERM);
  CHECK(json::parse(ended.out)["results"][2]["attempt_list"][0]["signal"] == "SIGKILL");
}

TEST_CASE("a signal while a job file is read ends the program at once") {
  const TemporaryFolder folder;
  const std::string fifo = make_fifo(folder);
  RunningProgram program(osiiso_with({"run", fifo}));
  const int writer = ::open(fifo.c_str(), O_WRONLY);  // waits until the program reads
  REQUIRE(writer >= 0);
  program.send(SIGINT);
  const bool has_ended = eventually([&] { return count_processes(fifo) == 0; });
  ::close(writer);
  CHECK(has_ended);
  CHECK(program.wait().signal == SIGINT);
}

TEST_CASE("a signal while nobody reads the report still ends the program") {
  const TemporaryFolder folder;
  const std::string fifo = make_fifo(folder);
  const int reader = ::open(fifo.c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(reader >= 0);
  auto invocation =
      osiiso_with({"run", "-", "--json"},
                  "groups: {g: {command: 'head -c 60000 /dev/zero; : {}', inputs: [1, 2, 3]}}");
  invocation.stdout_path = fifo;
  RunningProgram program(invocation);
  const int capacity = ::fcntl(reader, F_GETPIPE_SZ);
  const auto is_stuck = [&] {
    int held = 0;
    ::ioctl(reader, FIONREAD, &held);
    return held == capacity;
  };
  REQUIRE(eventually(is_stuck));
  program.send(SIGTERM);
  CHECK(program.wait().signal == SIGTERM);
  ::close(reader);
}

TEST_CASE("a caller that ignores SIGCHLD does not cost the tasks their exit statuses") {
  const auto ended = osiiso::test::run_program(
      after_shell("trap '' CHLD", osiiso_with({"run", "-", "--json"}, "tasks: [exit 3]")));
  CHECK(json::parse(ended.out)["results"][0]["message"] == "exit status 3");
}
