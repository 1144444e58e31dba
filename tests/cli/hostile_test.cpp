// SPDX-License-Identifier: MIT
// Surroundings and tasks that do what nobody should.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "cli/osiiso.hpp"
#include "cli/terminal.hpp"
#include "support/process_guard.hpp"

using nlohmann::json;
using osiiso::test::count_in_state;
using osiiso::test::count_processes;
using osiiso::test::Ended;
using osiiso::test::eventually;
using osiiso::test::Invocation;
using osiiso::test::kSanitizerKib;
using osiiso::test::osiiso_with;
using osiiso::test::ProcessGuard;
using osiiso::test::read_file;
using osiiso::test::run_program;
using osiiso::test::RunningProgram;
using osiiso::test::TemporaryFolder;
using osiiso::test::Terminal;

namespace {

const std::vector<std::string> kQueues = {"thread", "process", "async"};

/// The program as `"$@"` of a shell's script.
Invocation in_script(const std::string& script, std::vector<std::string> arguments,
                     std::string input = {}) {
  auto invocation = osiiso_with(std::move(arguments), std::move(input));
  invocation.arguments.insert(invocation.arguments.begin(), {"/bin/sh", "-c", script, "sh"});
  return invocation;
}

/// One task, named t.
std::string job_of(const std::string& command, const std::string& more = {}) {
  return "queue: {grace: 200ms}\ntasks:\n  - name: t\n    command: |\n      " + command + "\n" +
         more;
}

/// Its result on a queue of that kind.
json result_on(const std::string& queue, const std::string& job) {
  const auto ended = run_program(osiiso_with({"run", "-", "--json", "--queue", queue}, job));
  CAPTURE(ended.err);
  REQUIRE(json::accept(ended.out));
  return json::parse(ended.out)["results"][0];
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

// Where results go

TEST_CASE("a report that standard output does not take is shown on standard error") {
  const ProcessGuard guard;
  for (const std::string target : {"> /dev/full", ">&-"}) {
    for (const std::string option : {"--json", "-v"}) {
      CAPTURE(target);
      CAPTURE(option);
      const auto ended = run_program(in_script("exec \"$@\" " + target, {"run", "-", option},
                                               "tasks: [{name: t, command: exit 3}]"));
      CHECK(ended.exit_code == 74);
      CHECK(contains(ended.err, "osiiso: cannot write the result to standard output: "));
      CHECK(contains(ended.err, "  Run Summary: COMPLETED WITH ERRORS\n"));
      CHECK(contains(ended.err, "    - t\n      exit status 3\n"));
    }
  }
}

TEST_CASE("a report that is larger than a file may be is shown on standard error") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  auto invocation =
      in_script("{ (ulimit -f 0; \"$@\" > report; echo \"code $?\"  >&2); } 2>&1 | cat >&2",
                {"run", "-", "--json"}, "tasks: ['true']");
  invocation.folder = folder.path();
  const auto ended = run_program(invocation);
  CHECK(contains(ended.err, "standard output: File too large; the run itself ended: PASSED\n"));
  CHECK(contains(ended.err, "  Run Summary: PASSED\n"));
  CHECK(ended.err.ends_with("code 74\n"));
}

TEST_CASE("whatever prints to standard output says so when it cannot") {
  const ProcessGuard guard;
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"plan", "-"}, {"plan", "-", "--json"}, {"--version"}, {"--help"}, {"run", "--help"}}) {
    CAPTURE(arguments.front());
    const auto ended =
        run_program(in_script("exec \"$@\" > /dev/full", arguments, "tasks: ['true']"));
    CHECK(ended.exit_code == 74);
    CHECK(contains(ended.err, "No space left on device"));
  }
}

TEST_CASE("a reader of standard output that goes away ends nothing before its time") {
  const ProcessGuard guard;
  std::string many = "tasks:\n";
  for (int i = 0; i < 300; ++i) {
    many += "  - printf '%1000s' x; sleep 0 # 67" + std::to_string(i) + "\n";
  }
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    // More than a pipe holds: the reader has gone before the last of it is written.
    const auto ended = run_program(in_script("{ \"$@\"; echo \"code $?\" >&2; } | head -c 1",
                                             {"run", "-", "--json", "--queue", queue}, many));
    CHECK(ended.out == "{");
    CHECK(contains(ended.err, "cannot write the result to standard output: Broken pipe"));
    CHECK(contains(ended.err, "  Succeeded   : 300\n"));
    CHECK(ended.err.ends_with("code 74\n"));
  }
}

TEST_CASE("a reader of standard error that goes away changes nothing") {
  const ProcessGuard guard;
  const auto ended = run_program(
      in_script("{ \"$@\" 2>&3 3>&-; echo \"code $?\"; } 3>&1 >&2 | true", {"run", "-"},
                "tasks: ['sleep 0.3; echo bad >&2; exit 1', 'sleep 0.4; echo bad >&2; exit 1']"));
  CHECK(contains(ended.err, "  Failed      : 2\n"));
  CHECK(contains(ended.err, "code 1\n"));
}

// Descriptors, folders and signals that were handed to us

TEST_CASE("no file of ours takes the place of a standard stream that is closed") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  const auto seen_path = folder.path() + "/seen";
  // What the program, or the worker process, has in these places; and what the task has.
  const auto job = folder.write("job.yaml", R"(
queue: {workers: 1}
tasks:
  - name: parent
    command: "for n in 0 1 2; do readlink /proc/$PPID/fd/$n; done >> $SEEN"
  - name: own
    command: "for n in 0 1 2; do readlink /proc/self/fd/$n; done"
  - {name: noisy, command: "echo out; echo err >&2; exit 1"}
)");
  for (const auto& queue : kQueues) {
    for (const std::string closed : {"<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"}) {
      CAPTURE(queue);
      CAPTURE(closed);
      const auto checkpoint = folder.path() + "/done-" + queue;
      ::unlink(checkpoint.c_str());
      ::unlink(seen_path.c_str());
      const std::vector<std::string> arguments = {"run",     job,   "--checkpoint", checkpoint,
                                                  "--queue", queue, "--json"};
      auto invocation = in_script("exec \"$@\" " + closed, arguments);
      invocation.env["SEEN"] = seen_path;
      const bool is_written = !contains(" " + closed, " >&-");
      CHECK(run_program(invocation).exit_code == (is_written ? 1 : 74));
      const auto seen = read_file(seen_path);
      CHECK_FALSE(seen.empty());
      CHECK_FALSE(contains(seen, "done-"));
      CHECK_FALSE(contains(seen, "pipe:"));
      CHECK_FALSE(contains(seen, "socket:"));
      CHECK_FALSE(contains(seen, "anon_inode:"));
      // The file is whole, and both successes are in it.
      const auto again = json::parse(run_program(osiiso_with(arguments)).out);
      CHECK(again["restored"] == 2);
      const std::string own = again["restored_results"][1]["value"];
      CHECK(own.starts_with("/dev/null\npipe:["));
    }
  }
}

TEST_CASE("a job cannot be read from a standard input that is closed") {
  const ProcessGuard guard;
  const auto ended = run_program(in_script("exec \"$@\" <&-", {"run", "-"}));
  CHECK(ended.exit_code == 2);
  CHECK(contains(ended.err, "Bad file descriptor"));
}

TEST_CASE("nothing that our caller left open, ignored or blocked reaches a task") {
  const ProcessGuard guard;
  const std::string leave =
      "exec 3</dev/null 4>/dev/null 9</dev/zero; trap '' INT PIPE CHLD USR1 "
      "USR2 ALRM WINCH TTOU; ";
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    const auto invocation =
        in_script(leave + "exec \"$@\"", {"run", "-", "--json", "--queue", queue},
                  "queue: {workers: 1}\ntasks: [[" OSIISO_CHILDREN
                  "/print_signals], [" OSIISO_CHILDREN "/print_fds], exit 3]");
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before);
    RunningProgram program(invocation);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    const auto ended = program.wait();
    REQUIRE(json::accept(ended.out));
    const auto results = json::parse(ended.out)["results"];
    CHECK(results[0]["status"] == "succeeded");
    CHECK(results[0]["stdout"] == "");
    CHECK(results[1]["stdout"] == "0 1 2 ");
    CHECK(results[2]["message"] == "exit status 3");
  }
}

TEST_CASE("a run needs its current folder for what is named from there, and for nothing else") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  ::chmod(folder.path().c_str(), 0755);
  const auto job = folder.write("job.yaml", "tasks: ['true']");
  ::chmod(job.c_str(), 0644);
  const std::string gone = "mkdir gone && cd gone && rmdir ../gone && exec \"$@\"";
  // root reads any folder, somebody else does not
  const std::string as_nobody = ::geteuid() == 0 ? "setpriv --reuid 65534 --clear-groups " : "";
  const std::string unreadable =
      "mkdir -m 700 shut && cd shut && chmod 0 . && exec " + as_nobody + "\"$@\"";
  for (const auto& script : {gone, unreadable}) {
    CAPTURE(script);
    for (const auto& queue : kQueues) {
      CAPTURE(queue);
      auto invocation = in_script(script, {"run", job, "--queue", queue});
      invocation.folder = folder.path();
      const auto ended = run_program(invocation);
      CAPTURE(ended.err);
      CHECK(ended.exit_code == 0);
      ::rmdir((folder.path() + "/shut").c_str());
    }
    auto invocation = in_script(script, {"run", job, "--checkpoint", "done"});
    invocation.folder = folder.path();
    const auto refused = run_program(invocation);
    CHECK(refused.exit_code == 2);
    CHECK(contains(refused.err, "osiiso: checkpoint done: cannot "));
    ::rmdir((folder.path() + "/shut").c_str());
  }
}

// What is shown of names, commands and output

namespace {

/// Printed by a task: a colour, and what clears the screen, sets the title, and asks for an answer.
const std::string kPrinted =
    "\x1b[31mred\x1b[m \x1b[2J\x1b]0;owned\x07\xC2\x9B"
    "5n\n";

std::string job_that_prints(const TemporaryFolder& folder) {
  return folder.write("job.yaml", "tasks: [{name: t, command: \"cat " +
                                      folder.write("printed", kPrinted) + " >&2; exit 1\"}]");
}

}  // namespace

TEST_CASE("a terminal obeys nothing of what a task printed but its colours") {
  const TemporaryFolder folder;
  const auto job = job_that_prints(folder);
  Terminal terminal;
  for (const std::string option : {"", " --json"}) {
    CAPTURE(option);
    terminal.type(OSIISO_PROGRAM " run " + job + option + "; echo co''de $?\n");
    REQUIRE(terminal.shows("code 1"));
    const auto& screen = terminal.screen();
    CHECK(contains(screen, "\x1b[31mred\x1b[m \\x1b[2J\\x1b]0;owned\\x07\\u009b5n\r\n\x1b[0m"));
    CHECK_FALSE(contains(screen, "\x1b[2J"));
    CHECK_FALSE(contains(screen, "\x1b]0;owned"));
    CHECK_FALSE(contains(screen, "\xC2\x9B"));
  }
}

TEST_CASE("a pipe gets what a task printed as it is, and the report nothing of it") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  const auto ended = run_program(osiiso_with({"run", job_that_prints(folder)}));
  CHECK(ended.err == "osiiso: output of 't':\n" + kPrinted);
  CHECK(contains(ended.out, "      \\x1b[31mred\\x1b[m \\x1b[2J\\x1b]0;owned\\x07\\u009b5n\n"));
}

TEST_CASE("no name, command or path in a message of ours drives a terminal") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  const std::string clear = "\x1b[2J";
  const std::string job =
      "tasks: [[\"\\e[2Jno\"], {command: x, cwd: \"/\\e[2J\"}, {command: x, stdin: {file: "
      "\"\\e[2J\"}}]\n"
      "groups: {g: {tasks: [{command: [cat, \"\\e[2J\"], detached: true}]}}";
  const std::vector<std::vector<std::string>> all = {{"run", "-"},
                                                     {"plan", "-"},
                                                     {"run", "-", "--checkpoint", clear + "/c"},
                                                     {"run", "-", "-t", clear},
                                                     {"run", "-", "-g", clear},
                                                     {"run", "-", "--queue", clear},
                                                     {"run", "-", "--workers", clear},
                                                     {"run", clear},
                                                     {"run", "-", "--" + clear},
                                                     {clear}};
  for (const auto& arguments : all) {
    CAPTURE(arguments.back());
    auto invocation = osiiso_with(arguments, job);
    invocation.folder = folder.path();
    auto ended = run_program(invocation);
    const auto text = ended.out + ended.err;
    CHECK(contains(text, "\\x1b[2J"));
    CHECK_FALSE(contains(text, "\x1b"));
  }
  auto by_environment = osiiso_with({"run", "-"}, job);
  by_environment.env["OSIISO_WORKERS"] = clear;
  const auto ended = run_program(by_environment);
  CHECK(contains(ended.err, "\\x1b[2J"));
  CHECK_FALSE(contains(ended.err, "\x1b"));
}

// What tasks do

TEST_CASE("a task may print gigabytes, on both streams at once: the memory does not grow") {
  const ProcessGuard guard;
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    const auto ended = run_program(osiiso_with(
        {"run", "-", "--json", "--queue", queue},
        job_of("head -c 1G /dev/zero & head -c 1G /dev/zero >&2; wait; echo end; echo end >&2")));
    const auto result = json::parse(ended.out)["results"][0];
    CHECK(result["status"] == "succeeded");
    CHECK(result["truncated"] == true);
    CHECK(result["stdout"].get<std::string>().ends_with("end\n"));
    CHECK(result["stderr"].get<std::string>().ends_with("end\n"));
    CHECK(ended.max_rss_kib < 48 * 1024 + kSanitizerKib);
  }
}

TEST_CASE("a task that closes its streams goes on, and is waited for") {
  const ProcessGuard guard;
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    const TemporaryFolder folder;
    const auto result =
        result_on(queue, job_of("echo first; exec <&- >&- 2>&-; sleep 0.3; exit $(cat " +
                                folder.write("code", "7") + ")"));
    CHECK(result["message"] == "exit status 7");
    CHECK(result["stdout"] == "first\n");
  }
}

TEST_CASE("a task that stops itself is ended by its timeout, as are its stopped children") {
  const ProcessGuard guard;
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    const auto result = result_on(
        queue, job_of("sh -c 'kill -STOP $$ # 66231' & kill -STOP $$", "    timeout: 500ms"));
    CHECK(result["message"] == "task 't' exceeded 0.5s timeout");
    CHECK(count_processes("66231") == 0);
  }
}

TEST_CASE("a task that stops itself without a timeout waits for somebody to continue it") {
  const ProcessGuard guard;
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    const TemporaryFolder folder;
    const auto pid_file = folder.path() + "/pid";
    RunningProgram program(
        osiiso_with({"run", "-", "--queue", queue},
                    job_of("echo $$ > " + pid_file + "; kill -STOP $$; exit 0 # 66232")));
    REQUIRE(eventually([] { return count_in_state('T', "66232") == 1; }));
    CHECK_FALSE(program.has_ended());
    ::kill(std::stoi(read_file(pid_file)), SIGCONT);
    CHECK(program.wait().exit_code == 0);
  }
}

TEST_CASE("a stopped task does not keep a run from being interrupted") {
  const ProcessGuard guard;
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    RunningProgram program(
        osiiso_with({"run", "-", "--queue", queue}, job_of("kill -STOP $$; exit 0 # 66233")));
    REQUIRE(eventually([] { return count_in_state('T', "66233") == 1; }));
    program.send(SIGINT);
    CHECK(program.wait().signal == SIGINT);
    CHECK(count_processes("66233") == 0);
  }
}

TEST_CASE("a stopped grandchild is left by nobody") {
  const ProcessGuard guard;
  for (const auto& queue : kQueues) {
    for (const std::string how : {"", "setsid "}) {
      CAPTURE(queue);
      CAPTURE(how);
      const TemporaryFolder folder;
      const auto fifo = folder.path() + "/fifo";
      ::mkfifo(fifo.c_str(), 0600);
      const auto result = result_on(queue, job_of(how + "sh -c 'echo > " + fifo +
                                                  "; kill -STOP $$; : 66234' & read go < " + fifo));
      CHECK(result["status"] == "succeeded");
      REQUIRE(result["leaked"].size() == 1);
      CHECK(contains(result["leaked"][0]["command"], "66234"));
      CHECK(count_processes("66234") == 0);
    }
  }
}

TEST_CASE("a task that kills its own group fails, and nothing else does") {
  const ProcessGuard guard;
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    const auto ended = run_program(
        osiiso_with({"run", "-", "--json", "--queue", queue},
                    job_of("kill -9 0", "  - {name: other, command: sleep 0.3; echo fine}")));
    const auto results = json::parse(ended.out)["results"];
    CHECK(results[0]["message"] == "killed by SIGKILL");
    CHECK(results[1]["value"] == "fine");
  }
}

TEST_CASE("a task that kills its parent's group is a failure of that task at most") {
  const ProcessGuard guard;
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    // There is no such group, but that of a worker process.
    const auto ended = run_program(
        osiiso_with({"run", "-", "--json", "--queue", queue},
                    job_of("kill -9 -- -$PPID; sleep 0.2",
                           "  - {name: other, needs: [], command: sleep 0.3; echo fine}")));
    CAPTURE(ended.err);
    REQUIRE(json::accept(ended.out));
    const auto results = json::parse(ended.out)["results"];
    CHECK(results[1]["value"] == "fine");
  }
}

TEST_CASE("a task that kills its parent leaves nothing behind") {
  const ProcessGuard guard;
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    const auto ended = run_program(
        osiiso_with({"run", "-", "--queue", queue},
                    job_of("(setsid sleep 1000 66235 &); kill -9 $PPID; sleep 1000 66235")));
    if (queue == "process") {
      CHECK(ended.exit_code == 1);
      CHECK(contains(ended.out, "worker process died (SIGKILL)"));
    } else {
      CHECK(ended.signal == SIGKILL);
    }
    CHECK(count_processes("66235") == 0);
  }
}
