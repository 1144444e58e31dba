// SPDX-License-Identifier: MIT
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

#include <doctest/doctest.h>

#include "cli/osiiso.hpp"
#include "cli/terminal.hpp"

using osiiso::test::eventually;
using osiiso::test::osiiso_with;
using osiiso::test::run_osiiso;
using osiiso::test::run_program;
using osiiso::test::RunningProgram;
using osiiso::test::TemporaryFolder;
using osiiso::test::Terminal;

namespace {

/// Tasks that wait until they are let go.
struct Waiting {
  TemporaryFolder folder;
  std::string fifo = folder.path() + "/fifo";

  Waiting() { REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0); }
  void let_go() const { std::ofstream(fifo) << "\n"; }
  std::string job() const {
    return folder.write("job.yaml",
                        "tasks:\n"
                        "  - {name: quick, command: echo printed}\n"
                        "  - {name: \"a name much longer than thirty columns\", "
                        "command: 'read x < " +
                            fifo + "'}\n");
  }
};

std::string run_line(const std::string& job, const std::string& before = {}) {
  return before + " " + OSIISO_PROGRAM + " run " + job + "; echo ended $((1000+$?))\n";
}

// The cursor goes to the first of the lines, and all from there on is erased.
constexpr const char* kErased = "A\r\x1b[J";

std::string after_last(const std::string& text, const std::string& part) {
  return text.substr(text.rfind(part) + part.size());
}

}  // namespace

TEST_CASE("on a terminal a bar shows counts and what runs longest, and is gone at the end") {
  const Waiting waiting;
  Terminal terminal;
  terminal.resize(80, 24);
  terminal.type(run_line(waiting.job()));
  REQUIRE(terminal.shows("1/2, 1 running"));
  REQUIRE(terminal.shows("s  a name much longer than thirty columns\x1b[K\r\n"));
  waiting.let_go();
  CHECK(terminal.shows("ended 1000"));
  const auto rest = after_last(terminal.screen(), kErased);
  CHECK(rest.find("PASSED") != std::string::npos);
  CHECK(rest.find("running") == std::string::npos);
}

TEST_CASE("the bar is drawn anew in place, and erased only in the end") {
  const Waiting waiting;
  Terminal terminal;
  terminal.resize(80, 24);
  terminal.type("clear; " + run_line(waiting.job(), "NO_COLOR=1"));
  // Lines that end where they end, and nothing below the last one.
  REQUIRE(terminal.shows("\x1b[2A\r[==="));
  REQUIRE(terminal.shows("columns\x1b[K\r\n\x1b[J"));
  CHECK(terminal.screen().find(kErased) == std::string::npos);
  waiting.let_go();
  CHECK(terminal.shows("ended 1000"));
  CHECK(terminal.screen().find(kErased) != std::string::npos);
}

TEST_CASE("after Ctrl-C the bar says what another one does") {
  const Waiting waiting;
  Terminal terminal;
  terminal.resize(60, 24);
  const auto job = waiting.folder.write(
      "spared.yaml",
      "tasks: [{name: spared, must_complete: true, command: \"trap '' INT; read x < " +
          waiting.fifo + "\"}]");
  terminal.type(run_line(job));
  REQUIRE(terminal.shows("0/1, 1 running"));
  terminal.type("\x03");
  CHECK(terminal.shows("stopping (Ctrl-C again kills all), 0/1, 1 running"));
  waiting.let_go();
  CHECK(terminal.shows("Succeeded   : 1"));
}

TEST_CASE("who types the inputs of map is told so, and no bar is drawn over that") {
  Terminal terminal;
  terminal.resize(80, 24);
  terminal.type(OSIISO_PROGRAM +
                std::string(" map 'sleep 0.5; echo \"<{}>\"'; echo ended $((1000+$?))\n"));
  REQUIRE(terminal.shows("osiiso: reading inputs from the terminal, one a line; Ctrl-D ends\r\n"));
  terminal.type("abc\n");
  CHECK(terminal.shows("<abc>"));
  terminal.type("\x04");
  CHECK(terminal.shows("ended 1000"));
  CHECK(terminal.screen().find("\x1b[J") == std::string::npos);
}

TEST_CASE("the bar follows the window") {
  const Waiting waiting;
  Terminal terminal;
  terminal.resize(80, 24);
  terminal.type(run_line(waiting.job()));
  REQUIRE(terminal.shows("thirty columns\x1b[K\r\n"));
  terminal.resize(30, 24);
  CHECK(terminal.shows("…\x1b[K\r\n"));
  // A window of one line has room for nothing more.
  terminal.resize(200, 2);
  REQUIRE(terminal.shows("               ] 1/2"));
  terminal.forget();
  CHECK(terminal.shows("1/2"));
  CHECK(terminal.shows("1/2"));
  waiting.let_go();
  CHECK(terminal.shows("ended 1000"));
}

TEST_CASE("the bar gives way to what tasks print") {
  const Waiting waiting;
  Terminal terminal;
  terminal.resize(80, 24);
  const auto job = waiting.folder.write(
      "job2.yaml", "tasks: [{name: t, command: 'echo one; read x < " + waiting.fifo +
                       "; echo two; read x < " + waiting.fifo + "; echo three'}]");
  terminal.type(run_line(job + " --output tagged"));
  REQUIRE(terminal.shows("0/1, 1 running"));
  waiting.let_go();
  REQUIRE(terminal.shows("two\r\n"));
  terminal.forget();
  REQUIRE(terminal.shows("0/1, 1 running"));
  waiting.let_go();
  REQUIRE(terminal.shows("three\r\n"));
  // Between a line of a task and the drawing before it, the drawing is erased.
  const auto& screen = terminal.screen();
  const auto line = screen.find("three\r\n");
  CHECK(screen.rfind(kErased, line) > screen.rfind("running", line));
  CHECK(terminal.shows("ended 1000"));
}

TEST_CASE("no bar is drawn where it could not be, or was not wanted") {
  for (const std::string before : {"TERM=dumb", "CI=1", "OSIISO_PROGRESS=none", "OSIISO_QUIET=1"}) {
    CAPTURE(before);
    Terminal terminal;
    terminal.type(run_line("-j1 - <<< \"tasks: [sleep 0.5]\"", before));
    CHECK(terminal.shows("ended 1000"));
    CHECK(terminal.screen().find("\x1b[J") == std::string::npos);
  }
}

TEST_CASE("the bar has colours only where they are wanted") {
  for (const std::string before : {"NO_COLOR=1", "OSIISO_COLOR=never", "OSIISO_COLOR=auto"}) {
    CAPTURE(before);
    Terminal terminal;
    terminal.resize(80, 24);
    terminal.type(run_line("-j1 - <<< \"tasks: [sleep 0.5]\"", before));
    CHECK(terminal.shows("ended 1000"));
    CHECK((terminal.screen().find("\x1b[32m") != std::string::npos) ==
          (before == "OSIISO_COLOR=auto"));
  }
}

TEST_CASE("-v says of each task how it ended") {
  const auto ended = run_osiiso({"run", "-", "-v", "-j1"},
                                "tasks: [{name: a, command: 'true'}, {name: b, command: exit 3}]");
  CHECK(ended.err.find("osiiso: task 'a' succeeded, ") != std::string::npos);
  CHECK(ended.err.find("osiiso: task 'b' failed, ") != std::string::npos);
  CHECK(ended.err.find("s: exit status 3\n") != std::string::npos);
  CHECK(run_osiiso({"run", "-", "-v", "-q"}, "tasks: ['true']").err.empty());
}

TEST_CASE("without a terminal a line each half minute names what runs longest") {
  const Waiting waiting;
  auto invocation = osiiso_with({"run", waiting.job()});
  const auto said = waiting.folder.path() + "/said";
  invocation.arguments = {"sh",           "-c",          "exec \"$0\" run \"$1\" 2> \"$2\"",
                          OSIISO_PROGRAM, waiting.job(), said};
  RunningProgram running(invocation);
  const auto is_said = [&] {
    return osiiso::test::read_file(said).starts_with(
        "osiiso: 1 of 2 finished, 1 running: a name much longer than thirty columns 30.");
  };
  CHECK((eventually(is_said) || eventually(is_said)));
  waiting.let_go();
  CHECK(running.wait().exit_code == 0);
}
