// SPDX-License-Identifier: MIT
// How a command ends, what it is told and what is told of it.
#include <sys/resource.h>

#include <csignal>
#include <string>

#include <doctest/doctest.h>

#include "process/running.hpp"
#include "support/process_guard.hpp"

using namespace osiiso;
using namespace osiiso::test;

TEST_CASE("a command that succeeds gives its output and what it used") {
  const ProcessGuard guard;
  const Ended ended = run(Command::shell("echo out; echo err >&2"));
  CHECK_FALSE(ended.cause);
  CHECK(ended.output.exit_code == 0);
  CHECK_FALSE(ended.output.signal);
  CHECK(ended.output.stdout_text == "out\n");
  CHECK(ended.output.stderr_text == "err\n");
  CHECK(ended.output.max_rss > 0);
}

TEST_CASE("the time that a command used is told") {
  const ProcessGuard guard;
  const Ended ended = run(Command::shell("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"));
  CHECK((ended.output.cpu_user + ended.output.cpu_system).count() > 0);
}

TEST_CASE("an exit code fails a command, unless it is among its ok_codes") {
  const ProcessGuard guard;
  const Ended failed = run_child("exit_with", {"3"});
  CHECK(failed.cause == Cause::exit);
  CHECK(failed.output.exit_code == 3);
  CHECK(failed.message == "exit status 3");

  const auto ok = settings({.ok_codes = {1, 3}});
  CHECK_FALSE(run(Command::argv({child("exit_with"), "3"}, ok)).cause);
  CHECK(run(Command::argv({child("exit_with"), "0"}, ok)).message == "exit status 0");
}

TEST_CASE("the message is the last line of stderr that says something") {
  const ProcessGuard guard;
  CHECK(run_child("exit_with", {"1", "one\ntwo\n \n"}).message == "two");
  CHECK(run_child("exit_with", {"1", "10%\r20%\r"}).message == "20%");
  CHECK(run_child("exit_with", {"1", "\x1b[31mred\xff"}).message == "\\x1b[31mred\uFFFD");
  CHECK(run_child("exit_with", {"1", "\n\n"}).message == "exit status 1");
  const std::string cut = run_child("exit_with", {"1", std::string(201, 'x')}).message;
  CHECK(cut == std::string(199, 'x') + "…");
}

TEST_CASE("a command that dies of a signal names it") {
  const ProcessGuard guard;
  const Ended ended = run_child("die_of", {std::to_string(SIGSEGV)});
  CHECK(ended.cause == Cause::signal);
  CHECK(ended.output.signal == SIGSEGV);
  CHECK_FALSE(ended.output.exit_code);
  CHECK_FALSE(ended.output.core_dumped);
  CHECK(ended.message == "killed by SIGSEGV");
}

TEST_CASE("a core dump is told") {
  rlimit limit{};
  ::getrlimit(RLIMIT_CORE, &limit);
  if (limit.rlim_max == 0) {
    MESSAGE("no core dumps here");
    return;
  }
  const ProcessGuard guard;
  const TemporaryFolder folder;  // where the dump may land
  const auto here = settings({.cwd = folder.path()});
  const Ended ended = run(Command::argv({child("die_of"), std::to_string(SIGABRT), "core"}, here));
  CHECK(ended.output.core_dumped);
  CHECK(ended.message == "killed by SIGABRT (core dumped)");
}

TEST_CASE("a program that cannot be run says why") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  const auto failure = [](const std::vector<std::string>& words) {
    const Ended ended = run(Command::argv(words));
    CHECK(ended.cause == Cause::spawn);
    CHECK_FALSE(ended.output.exit_code);
    return ended.message;
  };
  CHECK(failure({"osiiso-no-such-program"}) ==
        "cannot run 'osiiso-no-such-program': No such file or directory");
  CHECK(failure({""}) == "cannot run '': No such file or directory");
  CHECK(failure({folder.path()}) == "cannot run '" + folder.path() + "': Permission denied");
  const std::string text = folder.write("text", "no program\n");
  CHECK(failure({text}) == "cannot run '" + text + "': Permission denied");
  CHECK(failure({text + "/x"}) == "cannot run '" + text + "/x': Not a directory");
  CHECK(failure({"true", std::string(200'000, 'x')}) ==
        "cannot run 'true': Argument list too long");
}

TEST_CASE("a command string whose program is missing fails as the shell says") {
  const ProcessGuard guard;
  const Ended ended = run(Command::shell("osiiso-no-such-program"));
  CHECK(ended.cause == Cause::exit);
  CHECK(ended.output.exit_code == 127);
  CHECK(ended.message.find("osiiso-no-such-program: not found") != std::string::npos);
}

TEST_CASE("a program is looked up along the PATH that the task has") {
  const ProcessGuard guard;
  const TemporaryFolder first;
  const TemporaryFolder second;
  const auto path = settings({.env = {{"PATH", first.path() + ":/nowhere:" + second.path()}}});
  const Command command = Command::argv({"prog"}, path);
  CHECK(run(command).message == "cannot run 'prog': No such file or directory");
  first.write("prog", "#!/bin/sh\necho first\n");
  CHECK(run(command).message == "cannot run 'prog': Permission denied");
  second.write("prog", "#!/bin/sh\necho second\n", 0755);
  CHECK(run(command).output.stdout_text == "second\n");
  first.write("prog", "#!/bin/sh\necho first\n", 0755);
  CHECK(run(command).output.stdout_text == "first\n");

  const auto here = settings({.env = {{"PATH", "/nowhere:"}}, .cwd = second.path()});
  CHECK(run(Command::argv({"prog"}, here)).output.stdout_text == "second\n");
  CHECK(run(Command::argv({"./prog"}, here)).output.stdout_text == "second\n");
  const auto none = settings({.env = {{"PATH", std::nullopt}}});
  CHECK_FALSE(run(Command::argv({"true"}, none)).cause);
}

TEST_CASE("a script without #! is run by the shell") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  const std::string script = folder.write("script", "echo \"$0: $1\"\n", 0755);
  CHECK(run(Command::argv({script, "a b"})).output.stdout_text == script + ": a b\n");
}

TEST_CASE("the shell is the one of the settings") {
  const ProcessGuard guard;
  const auto options = settings({.shell = {"/bin/sh", "-e", "-c"}});
  CHECK(run(Command::shell("false; echo on", options)).output.stdout_text.empty());
  const auto one_word = settings({.shell = {"sh"}});
  CHECK(run(Command::shell("echo $0", one_word)).output.stdout_text == "sh\n");
  const auto missing = settings({.shell = {"/no/shell", "-c"}});
  CHECK(run(Command::shell("true", missing)).message ==
        "cannot run '/no/shell': No such file or directory");
}

TEST_CASE("a command runs in its own working directory") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  const std::string where = std::filesystem::canonical(folder.path());
  CHECK(run(Command::shell("pwd; echo $PWD", settings({.cwd = where}))).output.stdout_text ==
        where + "\n" + where + "\n");
  const Ended missing = run(Command::shell("pwd", settings({.cwd = "/no/folder"})));
  CHECK(missing.cause == Cause::spawn);
  CHECK(missing.message == "cannot enter '/no/folder': No such file or directory");
}

TEST_CASE("a command gets its variables and those that tell who it is") {
  const ProcessGuard guard;
  Command command = Command::shell("echo \"$A $B $OSIISO_TASK $OSIISO_ATTEMPT $OSIISO_MARK\"",
                                   settings({.env = {{"A", "a"}, {"OSIISO_MARK", "x"}}}));
  command.with_variable("B", "b c");
  CHECK(run(command).output.stdout_text == "a b c name 1 run.task\n");

  const auto huge = settings({.env = {{"A", std::string(200'000, 'x')}}});
  CHECK(run(Command::argv({"true"}, huge)).message == "cannot run 'true': Argument list too long");
}

TEST_CASE("stdin is empty, a text of any size, or a file") {
  const ProcessGuard guard;
  CHECK(run(Command::argv({"cat"})).output.stdout_text.empty());
  const std::string text(5'000'000, 'x');
  CHECK(run(Command::argv({"wc", "-c"}, settings({.stdin_text = text}))).output.stdout_text ==
        "5000000\n");
  CHECK_FALSE(run(Command::argv({"true"}, settings({.stdin_text = text}))).cause);
  CHECK(run(Command::argv({"cat"}, settings({.stdin_text = ""}))).output.stdout_text.empty());

  const TemporaryFolder folder;
  const std::string path = folder.write("in", "from a file");
  CHECK(run(Command::argv({"cat"}, settings({.stdin_file = path}))).output.stdout_text ==
        "from a file");
  CHECK(run(Command::argv({"cat"}, settings({.cwd = folder.path(), .stdin_file = "in"})))
            .output.stdout_text == "from a file");
  const Ended missing = run(Command::argv({"cat"}, settings({.stdin_file = "no/file"})));
  CHECK(missing.cause == Cause::spawn);
  CHECK(missing.message == "cannot open 'no/file': No such file or directory");
  CHECK(run(Command::argv({"cat"}, settings({.stdin_file = folder.path()}))).message ==
        "cannot open '" + folder.path() + "': Is a directory");
}

TEST_CASE("a FIFO without a writer as stdin does not hold the attempt up") {
  const ProcessGuard guard;
  const Signpost signpost;
  CHECK_FALSE(run(Command::argv({"cat"}, settings({.stdin_file = signpost.fifo()}))).cause);
}

TEST_CASE("an exit status that the host takes is told as lost") {
  const ProcessGuard guard;
  const auto before = std::signal(SIGCHLD, SIG_IGN);
  const Ended ended = run(Command::shell("echo out"));
  std::signal(SIGCHLD, before);
  CHECK(ended.cause == Cause::error);
  CHECK(ended.message.find("the exit status was lost") == 0);
  CHECK(ended.output.stdout_text == "out\n");
}
