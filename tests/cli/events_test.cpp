// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "cli/osiiso.hpp"
#include "support/process_guard.hpp"

using nlohmann::json;
using osiiso::test::Ended;
using osiiso::test::eventually;
using osiiso::test::Invocation;
using osiiso::test::kSanitizerKib;
using osiiso::test::osiiso_with;
using osiiso::test::ProcessGuard;
using osiiso::test::read_file;
using osiiso::test::run_osiiso;
using osiiso::test::run_program;
using osiiso::test::RunningProgram;
using osiiso::test::TemporaryFolder;

namespace {

using Events = std::vector<json>;

const std::vector<std::string> kQueues = {"thread", "process", "async"};

/// Each line must be a whole event, and the next one.
Events parse(const std::string& text) {
  Events events;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    REQUIRE(json::accept(line));
    events.push_back(json::parse(line));
    CHECK(events.back()["v"] == 1);
    CHECK(events.back()["seq"] == events.size() - 1);
    CHECK(events.back()["run"] == events.front()["run"]);
    if (events.size() > 1) CHECK(events.back()["t"] >= events[events.size() - 2]["t"]);
  }
  CHECK((text.empty() || text.back() == '\n'));
  return events;
}

Events of_type(const Events& events, const std::string& type) {
  Events found;
  std::ranges::copy_if(events, std::back_inserter(found),
                       [&](const json& event) { return event["type"] == type; });
  return found;
}

Events of_task(const Events& events, const std::string& name) {
  Events found;
  std::ranges::copy_if(events, std::back_inserter(found), [&](const json& event) {
    return event.contains("task_id") && event["name"] == name;
  });
  return found;
}

std::vector<std::string> types(const Events& events) {
  std::vector<std::string> found;
  for (const auto& event : events) found.push_back(event["type"]);
  return found;
}

/// What must be the same each time that the job runs: by task, in order.
std::map<std::string, Events> lasting(const Events& events) {
  std::map<std::string, Events> found;
  for (auto event : events) {
    const bool is_of_task = event.contains("task_id") && event["name"].is_string();
    const std::string key = is_of_task ? event["name"] : event["type"];
    for (const char* const passing : {"seq", "ts", "t", "run", "task_id", "pid", "worker",
                                      "started_at", "finished_at", "duration", "age", "queue"}) {
      event.erase(passing);
    }
    found[key].push_back(std::move(event));
  }
  return found;
}

/// Every field is one of the documented schema, or nobody can tell.
void check_against_schema(const std::string& file) {
  const auto ended =
      run_program({.arguments = {"python3", OSIISO_EVENT_SCHEMA_TEST, OSIISO_EVENT_SCHEMA, file}});
  if (ended.exit_code == 77) return;
  CHECK(ended.out == "\n");
  CHECK(ended.exit_code == 0);
}

/// The program as `"$@"` of a shell's script.
Invocation in_script(const std::string& script, std::vector<std::string> arguments,
                     std::string input = {}) {
  auto invocation = osiiso_with(std::move(arguments), std::move(input));
  invocation.arguments.insert(invocation.arguments.begin(), {"/bin/bash", "-c", script, "bash"});
  return invocation;
}

/// A FIFO and who reads it.
class FifoReader {
 public:
  explicit FifoReader(const std::string& path) {
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    REQUIRE(descriptor_ >= 0);
  }
  ~FifoReader() { close(); }
  FifoReader(const FifoReader&) = delete;
  FifoReader& operator=(const FifoReader&) = delete;

  int descriptor() const { return descriptor_; }
  void close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }

  /// What has come by now.
  const std::string& text() {
    std::array<char, 65536> chunk;
    for (ssize_t size; (size = ::read(descriptor_, chunk.data(), chunk.size())) > 0;) {
      text_.append(chunk.data(), static_cast<std::size_t>(size));
    }
    return text_;
  }

 private:
  int descriptor_ = -1;
  std::string text_;
};

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

bool contains(const std::string& text, const std::string& part) {
  return count(text, part) > 0;
}

const std::string kOneTask = "tasks: [{name: t, command: 'true'}]";

// Something of everything. A text that began with "sleep" would be taken for the command itself: to
// grep, NUL ends a line.
const std::string kJob = R"(
name: nightly
queue: {grace: 100s}
tasks:
  - {name: good, command: echo hello, priority: 1}
  - {name: flaky, command: 'test $OSIISO_ATTEMPT = 2', retries: 1, retry_delay: 10ms}
  - {name: bad, command: 'echo sorry >&2; exit 3'}
  - {name: killed, command: 'kill -9 $$'}
  - {name: slow, command: sleep 76541, timeout: 50ms}
  - {name: absent, command: [/no/such/program]}
  - {name: after, command: 'true', needs: [bad]}
  - {name: aside, command: 'true', detached: true}
  - {name: messy, command: ':; sleep 76542 & until grep -q ^sleep /proc/$!/cmdline; do :; done', leak: fail}
groups:
  api: {tasks: [{name: member, command: 'true'}]}
)";

}  // namespace

TEST_CASE("each kind of event is written with its fields, the same on every queue") {
  const ProcessGuard guard;
  std::map<std::string, Events> first;
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    const TemporaryFolder folder;
    const auto file = folder.path() + "/events";
    const auto ended = run_osiiso({"run", "-", "--queue", queue, "--json", "--events", file}, kJob);
    CHECK(ended.exit_code == 1);
    const auto summary = json::parse(ended.out);
    const auto events = parse(read_file(file));
    check_against_schema(file);

    REQUIRE(events.size() > 2);
    const auto& begin = events.front();
    CHECK(begin["type"] == "run_started");
    CHECK(begin["t"] == 0.0);
    CHECK(begin["name"] == "nightly");
    CHECK(begin["total"] == 10);
    CHECK(begin["queue"] == queue);
    const auto& end = events.back();
    CHECK(end["type"] == "run_finished");
    for (const char* const field :
         {"status", "ok", "total_submitted", "succeeded", "failed", "cancelled", "timed_out",
          "duration", "interrupted_by", "restored", "detached", "leaked"}) {
      CAPTURE(field);
      CHECK(end[field] == summary[field]);
    }
    CHECK(of_type(events, "task_submitted").size() == 10);
    CHECK(of_type(events, "task_finished").size() == 10);

    for (const auto& result : summary["results"]) {
      const auto own = of_task(events, result["name"]);
      CAPTURE(result["name"]);
      const auto& submitted = own.front();
      CHECK(submitted["type"] == "task_submitted");
      for (const char* const field : {"task_id", "group_id", "priority", "detached", "command"}) {
        CHECK(submitted[field] == result[field]);
      }
      const auto& finished = own.back();
      CHECK(finished["type"] == "task_finished");
      for (const char* const field : {"status", "attempts", "duration", "message"}) {
        CHECK(finished[field] == result[field]);
      }
      const auto attempts = of_type(own, "attempt_finished");
      const auto starts = of_type(own, "attempt_started");
      REQUIRE(attempts.size() == result["attempt_list"].size());
      REQUIRE(starts.size() == attempts.size());
      for (std::size_t i = 0; i < attempts.size(); ++i) {
        for (const auto& entry : result["attempt_list"][i].items()) {
          CAPTURE(entry.key());
          CHECK(attempts[i][entry.key()] == entry.value());
        }
        CHECK(starts[i]["attempt"] == attempts[i]["attempt"]);
        CHECK(starts[i]["worker"] == attempts[i]["worker"]);
        CHECK(starts[i]["pid"].is_null() == (result["name"] == "absent"));
      }
    }
    CHECK(types(of_task(events, "flaky")) ==
          std::vector<std::string>{"task_submitted", "attempt_started", "attempt_finished",
                                   "retry_scheduled", "attempt_started", "attempt_finished",
                                   "task_finished"});
    CHECK(of_task(events, "flaky")[3]["delay"] == 0.01);
    CHECK(types(of_task(events, "after")) ==
          std::vector<std::string>{"task_submitted", "task_finished"});
    const auto leaked = of_type(events, "process_leaked");
    REQUIRE(leaked.size() == 1);
    CHECK(leaked[0]["name"] == "messy");
    CHECK(leaked[0]["command"] == "sleep 76542");
    CHECK(leaked[0]["pid"].is_number());

    const auto same = lasting(events);
    if (first.empty()) first = same;
    CHECK(same == first);
  }
}

TEST_CASE("a live reader sees that a task runs while it does, and as which process") {
  const ProcessGuard guard;
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    const TemporaryFolder folder;
    FifoReader reader(folder.path() + "/events");
    REQUIRE(::mkfifo((folder.path() + "/gate").c_str(), 0600) == 0);
    RunningProgram program(
        osiiso_with({"run", "-", "--queue", queue, "--events", folder.path() + "/events"},
                    "tasks: [{name: t, command: 'echo $$ > " + folder.path() + "/pid; cat " +
                        folder.path() + "/gate'}]"));
    REQUIRE(eventually([&] { return contains(reader.text(), "\"attempt_started\""); }));
    REQUIRE(eventually([&] { return read_file(folder.path() + "/pid").ends_with('\n'); }));
    CHECK_FALSE(program.has_ended());
    const auto events = parse(reader.text());
    CHECK(std::to_string(events.back()["pid"].get<int>()) + '\n' ==
          read_file(folder.path() + "/pid"));
    const int gate = ::open((folder.path() + "/gate").c_str(), O_WRONLY | O_CLOEXEC);
    ::close(gate);
    CHECK(program.wait().exit_code == 0);
    CHECK(parse(reader.text()).back()["type"] == "run_finished");
  }
}

TEST_CASE("a reader that goes away is told once, and ends no task") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  FifoReader reader(folder.path() + "/events");
  REQUIRE(::mkfifo((folder.path() + "/gate").c_str(), 0600) == 0);
  RunningProgram program(osiiso_with({"run", "-", "--json", "--events", folder.path() + "/events"},
                                     "tasks: [{name: t, command: 'cat " + folder.path() +
                                         "/gate'}, {command: 'true', needs: [t]}]"));
  REQUIRE(eventually([&] { return contains(reader.text(), "\"attempt_started\""); }));
  reader.close();
  ::close(::open((folder.path() + "/gate").c_str(), O_WRONLY | O_CLOEXEC));
  const auto ended = program.wait();
  CHECK(ended.exit_code == 74);
  CHECK(json::parse(ended.out)["succeeded"] == 2);
  CHECK(ended.err == "osiiso: cannot write the events to " + folder.path() +
                         "/events: Broken pipe; the run goes on\n");
}

TEST_CASE("a reader that never reads holds up the end of the run for seconds, and nothing else") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  const FifoReader reader(folder.path() + "/events");
  REQUIRE(::fcntl(reader.descriptor(), F_SETPIPE_SZ, 4096) == 4096);
  const auto ended =
      run_osiiso({"run", "-", "--json", "--events", folder.path() + "/events"},
                 "groups: {g: {command: 'true {}', inputs: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}}");
  CHECK(ended.exit_code == 74);
  CHECK(json::parse(ended.out)["succeeded"] == 10);
  CHECK(ended.err == "osiiso: cannot write the events to " + folder.path() +
                         "/events: they are read too slowly; the run goes on\n");
}

TEST_CASE("what waits for a reader is bounded") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  FifoReader reader(folder.path() + "/events");
  // Events of some 8 MiB, of tasks that are never started.
  std::string job =
      "tasks: [{name: bad, command: 'false'}]\ngroups:\n  g:\n    needs: [bad]\n"
      "    command: 'echo " +
      std::string(1500, 'x') + " {}'\n    inputs:\n";
  for (int i = 0; i < 5000; ++i) job += "      - " + std::to_string(i) + '\n';
  const auto ended = run_osiiso({"run", "-", "--json", "--events", folder.path() + "/events"}, job);
  CHECK(ended.exit_code == 74);
  CHECK(json::parse(ended.out)["cancelled"] == 5000);
  CHECK(count(ended.err, "they are read too slowly") == 1);
  CHECK(ended.max_rss_kib < 64 * 1024 + kSanitizerKib);
  parse(reader.text());
}

TEST_CASE("where events cannot be written the run goes on, and the exit code says so") {
  const ProcessGuard guard;
  const auto ended = run_osiiso({"run", "-", "--json", "--events", "/dev/full"}, kOneTask);
  CHECK(ended.exit_code == 74);
  CHECK(json::parse(ended.out)["succeeded"] == 1);
  CHECK(ended.err ==
        "osiiso: cannot write the events to /dev/full: No space left on device; the run goes on\n");
}

TEST_CASE("nobody need read a FIFO, but then nothing starts") {
  const TemporaryFolder folder;
  const auto fifo = folder.path() + "/events";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const auto ended =
      run_osiiso({"run", "-", "--events", fifo}, "tasks: ['touch " + folder.path() + "/started']");
  CHECK(ended.exit_code == 2);
  CHECK(ended.err == "osiiso: --events: cannot write " + fifo + ": nobody reads this FIFO\n");
  CHECK(::access((folder.path() + "/started").c_str(), F_OK) != 0);
}

TEST_CASE("a descriptor takes the events, and no task gets it") {
  const ProcessGuard guard;
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    const TemporaryFolder folder;
    const auto file = folder.path() + "/events";
    const auto ended = run_program(
        in_script("\"$@\" 3> " + file, {"run", "-", "--json", "--events", "fd:3", "--queue", queue},
                  "tasks: [{command: 'echo /proc/self/fd/*'}, "
                  "'readlink /proc/self/fd/3 || true']"));
    CHECK(ended.exit_code == 0);
    CHECK_FALSE(contains(ended.out, file));
    CHECK(parse(read_file(file)).back()["type"] == "run_finished");
  }
}

TEST_CASE("a descriptor that cannot be written to is refused") {
  const auto ended =
      run_program(in_script("\"$@\" 3< /dev/null", {"run", "-", "--events", "fd:3"}, kOneTask));
  CHECK(ended.exit_code == 2);
  CHECK(ended.out.empty());
  CHECK(ended.err == "osiiso: --events: descriptor 3 cannot be written to\n");
}

TEST_CASE("with the events on standard output, everything else is on standard error") {
  const ProcessGuard guard;
  for (const std::string target : {"-", "fd:1", "/dev/stdout"}) {
    const auto ended = run_osiiso({"run", "-", "--output", "grouped", "--events", target},
                                  "tasks: [{name: t, command: echo hello}]");
    CHECK(ended.exit_code == 0);
    CHECK(parse(ended.out).back()["type"] == "run_finished");
    CHECK(contains(ended.err, "hello\n"));
    CHECK(contains(ended.err, "Succeeded   : 1"));
  }
}

TEST_CASE("a restored task is submitted and finished, without an attempt") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  const std::string job = "tasks: [{name: a, command: echo 1}, {name: b, command: 'false'}]";
  const std::vector<std::string> arguments = {
      "run", "-", "--checkpoint", folder.path() + "/done", "--events", folder.path() + "/events"};
  run_osiiso(arguments, job);
  const auto ended = run_osiiso(arguments, job);
  CHECK(ended.exit_code == 1);
  check_against_schema(folder.path() + "/events");
  const auto events = parse(read_file(folder.path() + "/events"));
  const auto own = of_task(events, "a");
  REQUIRE(types(own) == std::vector<std::string>{"task_submitted", "task_finished"});
  CHECK(own[1]["restored"] == true);
  CHECK(own[1]["status"] == "succeeded");
  CHECK(own[1]["attempts"] == 0);
  CHECK(of_task(events, "b").back()["restored"] == false);
  CHECK(events.back()["restored"] == 1);
  CHECK(events.back()["total_submitted"] == 1);
}

TEST_CASE("why a run is ended early is told before what that leads to") {
  const ProcessGuard guard;
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    const TemporaryFolder folder;
    const auto file = folder.path() + "/events";
    const std::vector<std::string> arguments = {"run", "-", "--queue", queue, "--events", file};
    const auto stops_of = [&] {
      check_against_schema(file);
      const auto events = parse(read_file(file));
      const auto all = types(events);
      const auto stop = std::ranges::find(all, "run_stopping");
      for (const auto& finished : of_type(events, "task_finished")) {
        if (finished["status"] != "cancelled") continue;
        CHECK(finished["seq"] > std::distance(all.begin(), stop));
      }
      return of_type(events, "run_stopping");
    };

    run_osiiso(arguments, "{queue: {workers: 1, fail_policy: fail_first}, tasks: ['false', x]}");
    auto stops = stops_of();
    REQUIRE(stops.size() == 1);
    CHECK(stops[0]["cause"] == "fail_first");

    run_osiiso(arguments, "{queue: {timeout: 50ms, grace: 50ms}, tasks: [sleep 76543]}");
    stops = stops_of();
    REQUIRE(stops.size() == 1);
    CHECK(stops[0]["cause"] == "timeout");

    REQUIRE(::unlink(file.c_str()) == 0);
    RunningProgram program(osiiso_with(arguments, "tasks: [sleep 76544]"));
    REQUIRE(eventually([&] { return contains(read_file(file), "\"attempt_started\""); }));
    program.send(SIGINT);
    CHECK(program.wait().signal == SIGINT);
    stops = stops_of();
    REQUIRE(stops.size() == 1);
    CHECK(stops[0]["cause"] == "signal");
    CHECK(stops[0]["signal"] == "SIGINT");
    CHECK(parse(read_file(file)).back()["interrupted_by"] == "SIGINT");
  }
}

TEST_CASE("a program that is killed leaves whole lines") {
  const ProcessGuard guard;
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    const TemporaryFolder folder;
    FifoReader reader(folder.path() + "/events");
    std::string job =
        "groups:\n  g:\n    command: 'true {} " + std::string(300, 'x') + "'\n    inputs:\n";
    for (int i = 0; i < 3000; ++i) job += "      - " + std::to_string(i) + '\n';
    RunningProgram program(
        osiiso_with({"run", "-", "--queue", queue, "--events", folder.path() + "/events"}, job));
    REQUIRE(eventually([&] { return count(reader.text(), "\"task_finished\"") > 50; }));
    // The one that writes is the child of the process that the shell knows.
    const auto parent = std::to_string(program.pid());
    const auto child = read_file("/proc/" + parent + "/task/" + parent + "/children");
    REQUIRE(::kill(std::stoi(child), SIGKILL) == 0);
    program.wait();
    REQUIRE(eventually([&] {
      char byte = 0;
      reader.text();
      return ::read(reader.descriptor(), &byte, 1) == 0;  // nobody writes any more
    }));
    const auto events = parse(reader.text());
    CHECK(events.back()["type"] != "run_finished");
  }
}

TEST_CASE("osiiso schema events prints the documented schema") {
  const auto ended = run_osiiso({"schema", "events"});
  CHECK(ended.exit_code == 0);
  CHECK(ended.out == read_file(OSIISO_EVENT_SCHEMA));
  CHECK(run_osiiso({"schema", "job"}).out == run_osiiso({"schema"}).out);
}
