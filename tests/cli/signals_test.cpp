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

/// A job whose first task runs a process that waits for ever.
std::string job(const std::string& more) {
  return "queue: {workers: 2, grace: 30s}\n"
         "tasks:\n"
         "  - {name: done, command: echo done}\n"
         "  - {name: running, needs: [done], command: 'sleep 87651; echo never'}\n" +
         more;
}

/// Whether that process runs. Its shell may lose a SIGINT that comes before.
bool is_waiting() {
  return count_processes(std::string("sleep\0", 6) + "87651") == 1;
}

}  // namespace

TEST_CASE(
    "a signal ends the run in order: a report, must_complete and finally tasks, and its death") {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    CAPTURE(signal);
    const TemporaryFolder folder;
    RunningProgram program(osiiso_with({"run", "-", "--json"}, job(R"(
  - {name: spared, command: "sleep 0.05; echo spared", must_complete: true, delay: 0.01}
  - {name: later, command: echo later, delay: 1h}
finally: [{name: end, command: echo end}]
)")));
    REQUIRE(eventually(is_waiting));
    program.send(signal);
    const auto ended = program.wait();
    CHECK(ended.signal == signal);
    const auto summary = json::parse(ended.out);
    const std::string name = signal == SIGINT ? "SIGINT" : signal == SIGTERM ? "SIGTERM" : "SIGHUP";
    CHECK(summary["interrupted_by"] == name);
    CHECK(ended.err.starts_with("osiiso: interrupted by " + name +
                                "\nosiiso: cancelled while running: 'running' ("));
    CHECK(ended.err.ends_with("s); 1 task was never started\n"));
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
      {"run", "-", "--json"}, job(R"(
  - {name: stubborn, command: "trap '' INT TERM; echo yes > )" +
                                  folder.path() +
                                  R"(/stubborn; while :; do sleep 0.05; done", must_complete: true}
finally: [{name: end, command: echo end}]
)")));
  REQUIRE(eventually([&] { return is_waiting() && exists(folder.path() + "/stubborn"); }));
  program.send(SIGINT);
  REQUIRE(eventually([] { return count_processes("87651") == 0; }));
  // Again and again, for what comes within a moment counts as one.
  REQUIRE(eventually([&] {
    program.send(SIGINT);
    ::usleep(150'000);
    return program.has_ended();
  }));
  const auto ended = program.wait();
  CHECK(ended.signal == SIGINT);
  const auto summary = json::parse(ended.out);
  CHECK(summary["cancelled"] == 3);
  CHECK(summary["results"][2]["attempt_list"][0]["signal"] == "SIGKILL");
}

TEST_CASE("a caller that ignores or blocks the signals still gets a run that can be ended") {
  const TemporaryFolder folder;
  // The shell hands an ignored SIGINT on to what it executes.
  RunningProgram program(after_shell("trap '' INT", osiiso_with({"run", "-"}, job(""))));
  REQUIRE(eventually(is_waiting));
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
      {"run", "-", "--json"}, job(R"(
  - {name: stubborn, command: "trap '' INT TERM; echo yes > )" +
                                  folder.path() +
                                  R"(/stubborn; while :; do sleep 0.05; done", must_complete: true}
)"));
  invocation.env["CI"] = "true";
  RunningProgram program(invocation);
  REQUIRE(eventually([&] { return is_waiting() && exists(folder.path() + "/stubborn"); }));
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

TEST_CASE("timeout(1), which signals the program and its group, is heard once") {
  const TemporaryFolder folder;
  auto invocation = osiiso_with({"run", "-", "--json"}, job(R"(
  - {name: spared, command: "sleep 4; echo spared", must_complete: true}
finally: [{name: end, command: echo end}]
)"));
  invocation.arguments.insert(invocation.arguments.begin(), {"timeout", "3"});
  const auto ended = osiiso::test::run_program(invocation);
  CHECK(ended.exit_code == 124);
  const auto summary = json::parse(ended.out);
  CHECK(summary["interrupted_by"] == "SIGTERM");
  CHECK(summary["results"][1]["message"] == "cancelled");
  CHECK(summary["results"][2]["value"] == "spared");
  CHECK(summary["results"][3]["value"] == "end");
}

TEST_CASE("SIGUSR1 is answered with what runs, the longest-running first") {
  RunningProgram program(osiiso_with(
      {"run", "-"},
      "tasks:\n"
      "  - {name: first, command: exec sleep 87661}\n"
      "  - {name: again, retries: 1, command: \"[ $OSIISO_ATTEMPT = 2 ] && exec sleep 87662\"}\n"
      "  - {name: held, needs: [again], command: 'true'}\n"));
  REQUIRE(eventually([] {
    return count_processes(std::string("sleep\0", 6) + "87661") == 1 &&
           count_processes(std::string("sleep\0", 6) + "87662") == 1;
  }));
  program.send(SIGUSR1);
  program.send(SIGTERM);  // has the higher number, and so comes after it
  const auto text = program.wait().err;
  CAPTURE(text);
  const auto first = text.find("osiiso: running: first, ");
  const auto second = text.find("osiiso: running: again (attempt 2), ");
  const auto counts = text.find("osiiso: 2 running, 1 waiting, 0 finished\n");
  CHECK(first < second);
  CHECK(second < counts);
  CHECK(counts != std::string::npos);
}

TEST_CASE("a CI step's shell that is killed ends the run in order, within the time that is left") {
  const TemporaryFolder folder;
  const auto job_file = folder.write("job.yaml", job(R"(
  - {name: spared, command: "sleep 0.3; echo spared", must_complete: true}
finally: [{name: end, command: echo end}]
)"));
  const auto step =
      folder.write("step.sh", std::string(OSIISO_PROGRAM) + " run --json " + job_file + " > " +
                                  folder.path() + "/summary.json\necho never\n");
  osiiso::test::Invocation invocation;
  invocation.arguments = {"bash", "-e", step};
  invocation.env["CI"] = "true";
  RunningProgram shell(invocation);
  REQUIRE(eventually(is_waiting));
  shell.send(SIGTERM);  // bash dies of it and tells nobody
  CHECK(shell.wait().signal == SIGTERM);
  REQUIRE(eventually([&] { return count_processes(job_file) == 0; }));
  const auto summary = json::parse(read_file(folder.path() + "/summary.json"));
  CHECK(summary["interrupted_by"] == "SIGTERM");
  CHECK(summary["duration"] < 7);
  CHECK(summary["results"][1]["message"] == "cancelled");
  CHECK(summary["results"][2]["value"] == "spared");
  CHECK(summary["results"][3]["value"] == "end");
  CHECK_FALSE(is_waiting());
}

TEST_CASE("a command that prints inputs ends with the program") {
  RunningProgram program(osiiso_with(
      {"run", "-"},
      "groups: {g: {command: 'echo {}', inputs_from: {command: [setsid, -w, sleep, 87671]}}}"));
  const auto sleeps = [] { return count_processes(std::string("sleep\0", 6) + "87671") > 0; };
  REQUIRE(eventually(sleeps));
  program.send(SIGTERM);
  CHECK(program.wait().signal == SIGTERM);
  CHECK_FALSE(sleeps());
}
