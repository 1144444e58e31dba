// SPDX-License-Identifier: MIT
// One command over inputs.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "cli/osiiso.hpp"
#include "support/process_guard.hpp"

using nlohmann::json;
using osiiso::test::Ended;
using osiiso::test::eventually;
using osiiso::test::kSanitizerKib;
using osiiso::test::osiiso_with;
using osiiso::test::ProcessGuard;
using osiiso::test::read_file;
using osiiso::test::run_osiiso;
using osiiso::test::RunningProgram;
using osiiso::test::TemporaryFolder;

namespace {

using Words = std::vector<std::string>;

const std::vector<std::string> kQueues = {"thread", "process", "async"};

Ended map(Words words, std::string input = {}) {
  words.insert(words.begin(), "map");
  return run_osiiso(std::move(words), std::move(input));
}

json map_json(Words words, std::string input = {}) {
  words.insert(words.begin(), "--json");
  return json::parse(map(std::move(words), std::move(input)).out);
}

std::string lines(int count) {
  std::string text;
  for (int i = 1; i <= count; ++i) text += std::to_string(i) + '\n';
  return text;
}

std::string quoted(const std::string& word) {
  return "'" + word + "'";
}

/// A named pipe that the program reads as its file of inputs, and that is written to line by line.
class Inputs {
 public:
  explicit Inputs(const TemporaryFolder& folder) : path_(folder.path() + "/inputs") {
    if (::mkfifo(path_.c_str(), 0600) != 0) throw std::runtime_error("cannot make a fifo");
    pipe_ = ::open(path_.c_str(), O_RDWR | O_CLOEXEC);
  }
  ~Inputs() { end(); }
  Inputs(const Inputs&) = delete;
  Inputs& operator=(const Inputs&) = delete;

  const std::string& path() const { return path_; }
  void write(const std::string& line) const {
    CHECK(::write(pipe_, line.data(), line.size()) == static_cast<ssize_t>(line.size()));
  }
  /// The program must have opened it before.
  void end() {
    if (pipe_ >= 0) ::close(pipe_);
    pipe_ = -1;
  }

 private:
  std::string path_;
  int pipe_ = -1;
};

/// Tells of a program that writes its events to the file.
bool has_finished_a_task(const std::string& events) {
  return read_file(events).find("task_finished") != std::string::npos;
}

bool has_line(const std::string& path, const std::string& line) {
  return ("\n" + read_file(path)).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("inputs come from the command line, a file or standard input, ended by lines or NUL") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  const auto file = folder.write("inputs", "a b\nc\n\nd");
  const std::string expected = "<a b>\n<c>\n<d>\n";
  CHECK(map({"printf", "<%s>\\n", "{}", ":::", "a b", "c", "d"}).out == expected);
  CHECK(map({"-a", file, "printf", "<%s>\\n"}).out == expected);
  CHECK(map({"-a", "-", "printf", "<%s>\\n"}, "a b\nc\n\nd\n").out == expected);
  CHECK(map({"printf", "<%s>\\n"}, "a b\nc\n\nd").out == expected);
  CHECK(map({"-0", "printf", "<%s>\\n"}, std::string("a b\0c\0d\0", 8)).out == expected);
  CHECK(map({"-0", "printf", "<%s>\\n"}, std::string("a\nb\0\0c", 6)).out == "<a\nb>\n<>\n<c>\n");
}

TEST_CASE("the end of a line of another system is seen in the name of the task") {
  const ProcessGuard guard;
  const auto ended = map({"-q", "false {}"}, "a b\r\n");
  CHECK(ended.err.find("    - false 'a b\\r'\n") != std::string::npos);
}

TEST_CASE("one word is a text for the shell, in which values are no syntax; several are an argv") {
  const ProcessGuard guard;
  CHECK(map({"echo {#}: {/.}, '{ext}' \"{//}\" | cat", ":::", "x/$(id).c", "y/it's.h"}).out ==
        "1: $(id), .c x\n2: it's, .h y\n");
  CHECK(map({"echo", ":::", "$(id) | cat"}).out == "$(id) | cat\n");
  CHECK(map({"echo >&2 out; echo", ":::", "in"}).out == "in\n");
  CHECK(map({"echo", "{}-{.}", "{{}}", ":::", "a.b"}).out == "a.b-a {}\n");
  CHECK(map({"exit {}", ":::", "3"}).exit_code == 1);
}

TEST_CASE("options stand before the command, and -- ends them") {
  const ProcessGuard guard;
  CHECK(map({"-j2", "--output=grouped", "-q", "echo", "-n", "--json", ":::", "x"}).out ==
        "--json x");
  CHECK(map({"--workers", "2", "--", "echo", "--", ":::", "x"}).out == "-- x\n");
  CHECK(map({"-qj", "2", "echo", ":::", "x"}).out == "x\n");
}

TEST_CASE("no inputs are nothing to do, and are told") {
  const ProcessGuard guard;
  for (const Words& words : {Words{"echo", ":::"}, {"echo"}, {"cat", "{}", "-a", "list"}}) {
    const auto ended = map(words);
    CHECK(ended.exit_code == 0);
    CHECK(ended.err.find("osiiso: no inputs\n") != std::string::npos);
  }
  CHECK(map({"--dry-run", "echo"}).err == "osiiso: no inputs\n");
  CHECK(map({"-q", "echo"}).err.find("no inputs") == std::string::npos);
  CHECK(map({"echo", ":::", "a"}).err.find("no inputs") == std::string::npos);
}

TEST_CASE("bad usage of map is told in one line, and nothing is read or started") {
  const ProcessGuard guard;
  const std::vector<std::pair<Words, std::string>> cases = {
      {{}, "COMMAND is required"},
      {{":::", "a"}, "COMMAND is required"},
      {{"", ":::", "true"}, "COMMAND is empty"},
      {{" \n", ":::", "true"}, "COMMAND is empty"},
      {{"", "{}", ":::", "true"}, "COMMAND is empty"},
      {{"echo", "::::", "x"}, "there is no ::::; -a FILE in front of COMMAND"},
      {{"--wrokers", "2", "echo"}, "there is no option '--wrokers'; did you mean '--workers'?"},
      {{"-j", "0", "echo"}, "workers must be > 0"},
      {{"-j"}, "--workers needs a value"},
      {{"-a", "/no/such/file", "echo"}, "cannot open '/no/such/file': No such file or directory"},
      {{"-a", "x", "echo", ":::", "a"}, "inputs come from --arg-file or from :::, not both"},
      {{"echo", ":::", "a", ":::", "b"}, "a second ::: is not possible"},
      {{"echo", "{2}", ":::", "a"}, "COMMAND: {2} cannot be filled"},
      {{"echo `{}`", ":::", "a"}, "COMMAND: {} cannot stand"},
  };
  for (const auto& [words, expected] : cases) {
    const std::string& text = expected;  // Clang 14 captures no binding
    CAPTURE(text);
    const auto ended = map(words, "a\n");
    CHECK(ended.exit_code == 2);
    CHECK(ended.out.empty());
    CHECK(ended.err.find(expected) != std::string::npos);
    CHECK(ended.err.find('\n') == ended.err.size() - 1);
  }
}

TEST_CASE("a line is executed before the next one is written, on each queue") {
  const ProcessGuard guard;
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    const TemporaryFolder folder;
    const std::string log = folder.path() + "/log";
    Inputs inputs(folder);
    RunningProgram program(
        osiiso_with({"map", "--queue", queue, "-a", inputs.path(), "echo {} >> " + quoted(log)}));
    for (const std::string line : {"first", "second", "third"}) {
      inputs.write(line + "\n");
      CHECK(eventually([&] { return has_line(log, line); }));
    }
    inputs.end();
    CHECK(program.wait().exit_code == 0);
  }
}

TEST_CASE("output is shown in the order of the inputs, all of it, as soon as it is due") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  const std::string done = folder.path() + "/done";
  // The first task ends when all others have ended, and what these print is too much for memory.
  const std::string command = "if [ {} = 1 ]; then while [ $(ls " + quoted(folder.path()) +
                              " | wc -l) -lt 29 ]; do sleep 0.02; done; echo 1; exit; fi; "
                              "yes {} | head -c 100000; echo; : > " +
                              quoted(done) + "{}";
  std::string expected = "1\n";
  for (int i = 2; i <= 30; ++i) {
    std::string line = std::to_string(i) + '\n';
    std::string printed;
    while (printed.size() < 100000) printed += line;
    expected += printed.substr(0, 100000) + '\n';
  }
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    const auto ended = map({"--queue", queue, "-j2", command}, lines(30));
    CHECK(ended.exit_code == 0);
    CHECK(ended.out == expected);
    for (int i = 2; i <= 30; ++i) std::filesystem::remove(done + std::to_string(i));
  }
}

TEST_CASE("only the last attempt's output is shown, on the stream that it was printed to") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  const std::string flag = quoted(folder.path() + "/flag");
  const auto ended =
      map({"-q", "--retries", "1",
           "echo {} out; echo {} err >&2; [ -e " + flag + " ] || { : > " + flag + "; exit 1; }",
           ":::", "x"});
  CHECK(ended.exit_code == 0);
  CHECK(ended.out == "x out\n");
  CHECK(ended.err.starts_with("x err\n---"));
}

TEST_CASE("--size bounds how many tasks are outstanding") {
  const ProcessGuard guard;
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    const TemporaryFolder folder;
    const std::string errors = folder.path() + "/errors";
    const std::string log = folder.path() + "/log";
    auto invocation = osiiso_with({"map", "--queue", queue, "--size", "5", "-j2",
                                   "echo {} >> " + quoted(log) + "; exec sleep 98765"},
                                  lines(1000));
    invocation.arguments.insert(invocation.arguments.begin(),
                                {"/bin/sh", "-c", "exec \"$@\" 2> " + quoted(errors), "sh"});
    RunningProgram program(invocation);
    CHECK(eventually([&] { return has_line(log, "1") && has_line(log, "2"); }));
    CHECK(eventually([&] {
      program.send(SIGUSR1);
      return has_line(errors, "osiiso: 2 running, 3 waiting, 0 finished");
    }));
    program.send(SIGTERM);
    CHECK(program.wait().signal == SIGTERM);
    CHECK(has_line(errors, "  Total tasks : 5"));
    CHECK(has_line(errors, "  Cancelled   : 5"));
  }
}

TEST_CASE("any bytes are an input; what no command can be given fails, and nothing is lost") {
  const ProcessGuard guard;
  const std::string bytes = "\xff\xfe \x01\xc3";
  CHECK(map({"printf", "%s;"}, bytes + "\nx\n").out == bytes + ";x;");
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    const auto run =
        map_json({"--queue", queue, "--retries", "1", "echo"},
                 "one\n" + std::string(300'000, 'a') + "\n" + std::string("t\0o\n", 4) + "four\n");
    CHECK(run["total_submitted"] == 4);
    CHECK(run["succeeded"] == 2);
    const auto& results = run["results"];
    CHECK(results[0]["value"] == "one");
    CHECK(results[1]["name"] == "input 2");
    CHECK(results[1]["message"] == "it is longer than 131071 bytes, which no command can be given");
    CHECK(results[1]["attempts"] == 1);
    CHECK(results[2]["name"] == "input 3");
    CHECK(results[2]["message"] == "it holds a NUL byte");
    CHECK(results[3]["value"] == "four");
  }
  CHECK(map_json({"wc", "-c", ":::", std::string(131'071, 'x')})["failed"] == 1);  // no such file
}

TEST_CASE("memory does not grow with the inputs") {
  const ProcessGuard guard;
  const auto few = map({"-q", "true"}, lines(300));
  const auto many = map({"-q", "true"}, lines(6'000));
  CHECK(many.err.find("Succeeded   : 6000\n") != std::string::npos);
  CHECK(many.max_rss_kib < few.max_rss_kib + 3 * 1024 + kSanitizerKib);
  const auto failing = map({"--output", "none", "false"}, lines(3'000));
  CHECK(failing.out.find("    … and 2900 more\n") != std::string::npos);
  CHECK(failing.exit_code == 1);
}

TEST_CASE("a signal ends the reading, and the program as it ends run") {
  const ProcessGuard guard;
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    const TemporaryFolder folder;
    const std::string log = folder.path() + "/log";
    Inputs inputs(folder);
    RunningProgram program(
        osiiso_with({"map", "-j1", "--json", "--queue", queue, "-a", inputs.path(),
                     "echo {} >> " + quoted(log) + "; [ {} = a ] || sleep 98764"}));
    inputs.write("a\nb\n");
    CHECK(eventually([&] { return has_line(log, "b"); }));
    program.send(SIGINT);
    const auto ended = program.wait();
    CHECK(ended.signal == SIGINT);
    const auto run = json::parse(ended.out);
    CHECK(run["interrupted_by"] == "SIGINT");
    CHECK(run["total_submitted"] == 2);
    CHECK(run["results"][0]["status"] == "succeeded");
    CHECK(run["results"][1]["status"] == "cancelled");
  }
}

TEST_CASE("a signal ends the reading also while nothing runs") {
  const ProcessGuard guard;
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    const TemporaryFolder folder;
    const std::string events = folder.path() + "/events";
    Inputs inputs(folder);
    RunningProgram program(osiiso_with(
        {"map", "--json", "--queue", queue, "--events", events, "-a", inputs.path(), "true"}));
    inputs.write("a\n");
    REQUIRE(eventually([&] { return has_finished_a_task(events); }));
    program.send(SIGINT);
    REQUIRE(eventually([&] { return program.has_ended(); }));
    const auto ended = program.wait();
    CHECK(ended.signal == SIGINT);
    CHECK(json::parse(ended.out)["succeeded"] == 1);
  }
}

TEST_CASE("a run that was interrupted did not pass, in no report, though no task was lost") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  const auto file = [&](const char* name) { return folder.path() + "/" + name; };
  Inputs inputs(folder);
  auto invocation = osiiso_with(
      {"map", "--json", "--events", file("events"), "--report", "text=" + file("text"), "--report",
       "html=" + file("page"), "--report", "trace=" + file("trace"), "-a", inputs.path(), "true"});
  invocation.env = {{"GITHUB_ACTIONS", "true"}, {"GITHUB_STEP_SUMMARY", file("step")}};
  RunningProgram program(invocation);
  inputs.write("a\n");
  REQUIRE(eventually([&] { return has_finished_a_task(file("events")); }));
  program.send(SIGINT);
  REQUIRE(eventually([&] { return program.has_ended(); }));
  const auto ended = program.wait();
  const std::string status = "COMPLETED WITH ERRORS";
  CHECK(json::parse(ended.out)["status"] == status);
  for (const char* name : {"events", "text", "page", "trace", "step"}) {
    CAPTURE(name);
    const auto report = read_file(file(name));
    CHECK(report.find(status) != std::string::npos);
    CHECK(report.find(name == std::string("page") ? "\"PASSED\"," : "PASSED") == std::string::npos);
  }
  CHECK(read_file(file("step")).find(status + ", interrupted by SIGINT\n") != std::string::npos);
}

TEST_CASE("the first failure or the timeout ends the run while inputs are waited for") {
  const ProcessGuard guard;
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    const TemporaryFolder folder;
    Inputs inputs(folder);
    inputs.write("a\n");
    const auto failed = map({"--queue", queue, "--fail-fast", "-a", inputs.path(), "false"});
    CHECK(failed.exit_code == 1);
    CHECK(failed.err.find("Failed      : 1\n") != std::string::npos);
    inputs.write("a\n");
    const auto timed_out =
        map({"--queue", queue, "--timeout", "0.3s", "-a", inputs.path(), "echo"});
    CHECK(timed_out.exit_code == 124);
    CHECK(timed_out.err.find("TIMED OUT") != std::string::npos);
  }
}

TEST_CASE("inputs that cannot be read are told, after those before them were executed") {
  const ProcessGuard guard;
  const auto ended = map({"-a", "/", "echo"});
  CHECK(ended.exit_code == 1);
  CHECK(ended.err.find("cannot read '/': Is a directory; 0 inputs were taken before\n") !=
        std::string::npos);
}

TEST_CASE("reports tell of every task in the order of the inputs, and can be made again") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  const auto path = [&](const std::string& name) { return folder.path() + "/" + name; };
  Words words = {"-j3", "v={}; sleep 0.0$((v % 3)); echo \"<&{}>\"; [ {} != 7 ]"};
  Words again = {"report", path("run.json")};
  for (const std::string kind : {"html", "junit", "trace", "text"}) {
    words.insert(words.begin(), {"--report", kind + "=" + path(kind)});
    again.insert(again.end(), {"--report", kind + "=" + path(kind + ".again")});
  }
  words.insert(words.begin(), {"--report", "json=" + path("run.json")});
  CHECK(map(words, lines(120)).exit_code == 1);
  const auto run = json::parse(read_file(path("run.json")));
  CHECK(run["total_submitted"] == 120);
  CHECK(run["failed"] == 1);
  REQUIRE(run["results"].size() == 120);
  for (std::size_t i = 0; i < 120; ++i) {
    CHECK(run["results"][i]["stdout"] == "<&" + std::to_string(i + 1) + ">\n");
  }
  CHECK(run_osiiso(again).exit_code == 0);
  for (const std::string kind : {"html", "junit", "trace", "text"}) {
    CAPTURE(kind);
    CHECK_FALSE(read_file(path(kind)).empty());
    CHECK(read_file(path(kind)) == read_file(path(kind + ".again")));
  }
}

TEST_CASE("results for which there is no file are kept in memory") {
  const ProcessGuard guard;
  auto invocation = osiiso_with({"map", "--json", "true"});
  invocation.env = {{"TMPDIR", "/no/such/folder"}};
  invocation.input = lines(1'500);
  const auto ended = osiiso::test::run_program(invocation);
  CHECK(ended.exit_code == 0);
  CHECK(json::parse(ended.out)["results"].size() == 1'500);
}

TEST_CASE("a checkpoint knows inputs by what they are, and equal ones by their count") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/done.db";
  const std::string log = folder.path() + "/log";
  const Words words = {"--checkpoint", file, "echo {} >> " + quoted(log) + "; [ {} != b ]"};
  CHECK(map(words, "a\nb\na\n").exit_code == 1);
  const std::string events = folder.path() + "/events";
  Words watched = words;
  watched.insert(watched.begin(), {"--events", events});
  const auto again = map(watched, "c\na\na\na\n");
  CHECK(read_file(events).find("\"restored\": 2, \"detached\"") != std::string::npos);
  CHECK(again.exit_code == 0);
  CHECK(again.err.find("restored 2 of 4 tasks from " + file) != std::string::npos);
  std::string all = read_file(log);
  CHECK(std::ranges::count(all, 'a') == 3);
  CHECK(std::ranges::count(all, 'c') == 1);
  Words report = words;
  report.insert(report.begin(), "--json");
  const auto run = json::parse(map(report, "a\nb\n").out);
  CHECK(run["restored"] == 1);
  CHECK(run["restored_results"].size() == 1);
  CHECK(run["results"].size() == 1);
}

TEST_CASE("logs are kept by the number of the input") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  const std::string logs = folder.path() + "/logs";
  CHECK(map({"--log-dir", logs, "echo", ":::", "x", "x"}).exit_code == 0);
  CHECK(read_file(logs + "/echo_x~1/1/stdout") == "x\n");
  CHECK(read_file(logs + "/echo_x~2/1/stdout") == "x\n");
  const auto index = json::parse(read_file(logs + "/index.json"));
  CHECK(index["tasks"].size() == 2);
  CHECK(index["tasks"][0]["status"] == "succeeded");
}

TEST_CASE("tagged and failed output, and a standard output that takes nothing") {
  const ProcessGuard guard;
  CHECK(map({"--output", "tagged", "echo", ":::", "x"}).out == "[echo x] x\n");
  const auto failed = map({"--output", "failed", "-q", "echo {}; [ {} = a ]", ":::", "a", "b"});
  CHECK(failed.out.find("COMPLETED WITH ERRORS") != std::string::npos);
  CHECK(failed.err == "osiiso: output of 'echo b; [ b = a ]':\nb\n");
  auto full = osiiso_with({"map", "echo", ":::", "x"});
  full.stdout_path = "/dev/full";
  const auto ended = osiiso::test::run_program(full);
  CHECK(ended.exit_code == 74);
  CHECK(ended.err.find("cannot write the tasks' output to standard output: No space left") !=
        std::string::npos);
}

TEST_CASE("find -print0 goes into map -0") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  for (const std::string name : {"a b", "new\nline", "$(touch hit)", "-d"}) {
    folder.write(name, "text of " + name);
  }
  osiiso::test::Invocation invocation;
  invocation.arguments = {"/bin/sh", "-c",
                          "find . -type f -print0 | " + quoted(OSIISO_PROGRAM) + " map -0 gzip {}"};
  invocation.folder = folder.path();
  CHECK(osiiso::test::run_program(invocation).exit_code == 0);
  for (const std::string name : {"a b", "new\nline", "$(touch hit)", "-d"}) {
    CHECK(std::filesystem::exists(folder.path() + "/" + name + ".gz"));
  }
}

TEST_CASE("--dry-run shows what would be started") {
  const ProcessGuard guard;
  const auto ended = map({"--dry-run", "gzip -9 {}", ":::", "a b", "c"});
  CHECK(ended.exit_code == 0);
  CHECK(ended.out ==
        " order  priority  group  task\n"
        "     1         3  -      gzip -9 'a b'\n"
        "     2         3  -      gzip -9 c\n");
}

TEST_CASE("events tell of inputs whose number nobody knows") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/events";
  CHECK(map({"--events", file, "echo", ":::", "a", "b"}).exit_code == 0);
  std::istringstream events(read_file(file));
  std::map<std::string, int> counts;
  for (std::string line; std::getline(events, line);) {
    const auto event = json::parse(line);
    const bool is_first = counts.empty();
    ++counts[event["type"].get<std::string>()];
    if (is_first) CHECK(event["total"].is_null());
  }
  CHECK(counts["run_started"] == 1);
  CHECK(counts["task_submitted"] == 2);
  CHECK(counts["task_finished"] == 2);
  CHECK(counts["run_finished"] == 1);
}
