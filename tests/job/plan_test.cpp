// SPDX-License-Identifier: MIT
#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "job/reading.hpp"

using namespace osiiso;
using namespace std::chrono_literals;
using test::command_of;
using test::names_of;
using test::options_of;
using test::plan_of;

namespace {

using Names = std::vector<std::string>;
using Words = std::vector<std::string>;

const TaskOptions one_option(const std::string& option) {
  return options_of(plan_of("tasks:\n  - command: ./a\n    " + option + "\n"), 0);
}

CommandSettings one_setting(const std::string& option) {
  return command_of(plan_of("tasks:\n  - command: ./a\n    " + option + "\n"), 0).settings();
}

}  // namespace

TEST_CASE("an empty file is an empty plan") {
  for (const char* text : {"", "\n\n", "# nothing\n", "---\n", "tasks: []\n", "groups: {a: []}\n",
                           "version: 1\n", "groups: {a: {command: 'x {}', inputs: []}}\n"}) {
    CAPTURE(text);
    const job::Reading reading = test::read_text(text);
    REQUIRE(reading.plan);
    CHECK(reading.empty);
    CHECK(reading.plan->batch.empty());
  }
}

TEST_CASE("the name is the file's own, else its stem") {
  CHECK(plan_of("tasks: [a]").name == "job");
  CHECK(plan_of("name: nightly\ntasks: [a]").name == "nightly");
  CHECK(plan_of("name: ''\ntasks: [a]").name == "job");
  const std::vector<job::Source> sources = {{"<stdin>", "tasks: [a]", "/"},
                                            {"x/b.yml", "tasks: [b]", "/"}};
  CHECK(job::read(sources, {}, {}, job::RunInputs::no).plan->name == "stdin+b");
}

TEST_CASE("every queue option") {
  const job::Plan plan = plan_of(R"(
queue:
  kind: async
  workers: 4
  size: 7
  timeout: 30m
  mode: infinite
  fail_policy: fail_first
  on_timeout: cancel
  rate: 2.5
  burst: 3
  grace: 1s
tasks: [a]
)");
  CHECK(plan.kind == job::QueueKind::async);
  CHECK(plan.queue.workers == 4);
  CHECK(plan.queue.size == 7);
  CHECK(plan.queue.timeout == 30min);
  CHECK(plan.queue.mode == Mode::infinite);
  CHECK(plan.queue.fail_policy == FailPolicy::fail_first);
  CHECK(plan.queue.on_timeout == OnTimeout::cancel);
  CHECK(plan.queue.rate == 2.5);
  CHECK(plan.queue.burst == 3);
  CHECK(plan.queue.grace == 1s);
  CHECK(!plan_of("queue: {workers: auto}\ntasks: [a]").queue.workers);
  CHECK(plan_of("queue: {kind: process}\ntasks: [a]").kind == job::QueueKind::process);
}

TEST_CASE("without a queue all is as built in") {
  const job::Plan plan = plan_of("tasks: [a]");
  const QueueOptions built_in;
  CHECK(plan.kind == job::QueueKind::thread);
  CHECK(plan.queue.workers == built_in.workers);
  CHECK(plan.queue.size == built_in.size);
  CHECK(plan.queue.timeout == built_in.timeout);
  CHECK(plan.queue.grace == built_in.grace);
}

TEST_CASE("the command line wins over queue") {
  job::Overrides overrides;
  overrides.kind = job::QueueKind::process;
  overrides.workers = job::Overrides::Workers{};
  overrides.timeout = 5s;
  overrides.mode = Mode::infinite;
  overrides.rate = 9;
  const job::Plan plan =
      plan_of("queue: {kind: async, workers: 4, burst: 2}\ntasks: [a]", overrides);
  CHECK(plan.kind == job::QueueKind::process);
  CHECK(!plan.queue.workers);
  CHECK(plan.queue.timeout == 5s);
  CHECK(plan.queue.mode == Mode::infinite);
  CHECK(plan.queue.rate == 9);
  CHECK(plan.queue.burst == 2);
  overrides.timeout.reset();
  CHECK(test::brief("tasks: [a]", overrides) ==
        "mode infinite needs a timeout, for nothing else would end the run");
  overrides.mode.reset();
  overrides.burst = 0;
  CHECK(test::brief("tasks: [a]", overrides) == "burst must be >= 1");
}

TEST_CASE("task options of the command line lie beneath the file's defaults") {
  job::Overrides overrides;
  overrides.retries = 5;
  overrides.retry_delay = 2s;
  overrides.backoff = 3;
  overrides.task_timeout = 9s;
  overrides.priority = 1;
  const job::Plan plan = plan_of("defaults: {retries: 2}\ntasks: [a]", overrides);
  CHECK(options_of(plan, 0).retries == 2);
  CHECK(options_of(plan, 0).retry_delay == 2s);
  CHECK(options_of(plan, 0).backoff == 3);
  CHECK(options_of(plan, 0).timeout == 9s);
  CHECK(options_of(plan, 0).priority == 1);
  overrides.retries = -1;
  CHECK(test::brief("tasks: [a]", overrides) == "retries must be >= 0");
}

TEST_CASE("every task option") {
  CHECK(one_option("priority: -2").priority == -2);
  CHECK(one_option("priority: 0x10").priority == 16);
  CHECK(one_option("must_complete: true").must_complete);
  CHECK(!one_option("must_complete: false").must_complete);
  CHECK(one_option("timeout: 250ms").timeout == 250ms);
  CHECK(one_option("timeout: 5").timeout == 5s);
  CHECK(one_option("timeout: '1h 30m'").timeout == 90min);
  CHECK(one_option("retries: 4").retries == 4);
  CHECK(one_option("retry_delay: 0").retry_delay == 0s);
  CHECK(one_option("backoff: 0.5").backoff == 0.5);
  CHECK(one_option("max_delay: 1m").max_delay == 1min);
  CHECK(one_option("jitter: 1").jitter == 1);
  CHECK(one_option("delay: 0.25").delay == 250ms);
  CHECK(one_option("detached: true").detached);
  CHECK(one_option("grace: 0").grace == 0s);
  const RetryOn retry_on = one_option("retry_on: [exit, timeout, spawn, 75]").retry_on;
  CHECK(retry_on.causes == CauseSet{Cause::exit, Cause::timeout, Cause::spawn});
  CHECK(retry_on.exit_codes == std::vector<int>{75});
  CHECK(one_option("retry_on: []").retry_on.causes.empty());
}

TEST_CASE("run_at is an epoch number or a time with zone") {
  using std::chrono::system_clock;
  const auto at = [](const char* text) {
    return one_option(std::string("run_at: ") + text).run_at;
  };
  const auto epoch = [](auto since) {
    return system_clock::time_point(std::chrono::duration_cast<system_clock::duration>(since));
  };
  CHECK(at("0") == epoch(0s));
  CHECK(at("-1.5") == epoch(-1500ms));
  CHECK(at("1700000000") == epoch(1700000000s));
  CHECK(at("2023-11-14T22:13:20Z") == epoch(1700000000s));
  CHECK(at("2023-11-14t22:13:20.25z") == epoch(1700000000250ms));
  CHECK(at("'2023-11-14 23:43:20+01:30'") == epoch(1700000000s));
  CHECK(at("2023-11-14T12:13:20-10:00") == epoch(1700000000s));
  CHECK(at("2016-12-31T23:59:60Z") == at("2016-12-31T23:59:59Z"));
  for (const char* long_ago : {"-9000000000", "1680-01-01T00:00:00Z"}) {
    CAPTURE(long_ago);
    CHECK(system_clock::now() - *at(long_ago) > 0s);
  }
  for (const char* wrong : {"2023-11-14T22:13:20", "2023-13-14T22:13:20Z", "2023-11-14T24:13:20Z",
                            "2023-11-14T22:13:20+24:00", "2023-11-14T22:13Z", "1e300", "now",
                            "2023-11-14T22:13:20.Z", "9999-01-01T00:00:00Z", "2023-2-3T1:2:3Z"}) {
    CAPTURE(wrong);
    CHECK(test::brief("tasks: [{command: a, run_at: '" + std::string(wrong) + "'}]")
              .find("run_at must be") != std::string::npos);
  }
}

TEST_CASE("metadata is any YAML, typed as the core schema has it") {
  const auto metadata = [](const char* text) {
    return one_option(std::string("metadata: ") + text).metadata;
  };
  using nlohmann::json;
  CHECK(*metadata("5") == json(5));
  CHECK(
      *metadata("{a: [1, -2.5, 0o17, 0xff, 1e3, true, False, ~, null, text, '5', !!str 6, yes]}") ==
      json::parse(R"({"a": [1, -2.5, 15, 255, 1000.0, true, false, null, null, "text", "5", "6",
                              "yes"]})"));
  CHECK(*metadata("99999999999999999999") == json(1e20));
  CHECK(!metadata("null"));
}

TEST_CASE("every setting of a command") {
  CHECK(one_setting("cwd: sub").cwd == "/jobs/sub");
  CHECK(one_setting("cwd: ../x/./y/").cwd == "/x/y");
  CHECK(one_setting("cwd: .").cwd == "/jobs");
  CHECK(one_setting("cwd: /abs").cwd == "/abs");
  CHECK(one_setting("retries: 0").cwd.empty());
  CHECK(one_setting("stdin: 'a b'").stdin_text == "a b");
  CHECK(one_setting("stdin: 5").stdin_text == "5");
  CHECK(one_setting("stdin: {file: in.txt}").stdin_file == "/jobs/in.txt");
  CHECK(one_setting("shell: bash").shell == Words{"bash", "-c"});
  CHECK(one_setting("shell: [bash, -euo, pipefail, -c]").shell ==
        Words{"bash", "-euo", "pipefail", "-c"});
  CHECK(one_setting("retries: 0").shell == Words{"/bin/sh", "-c"});
  CHECK(one_setting("ok_codes: [0, 3]").ok_codes == std::vector<int>{0, 3});
  CHECK(one_setting("leak: keep").leak == Leak::keep);
  CHECK(one_setting("leak: fail").leak == Leak::fail);
}

TEST_CASE("commands and variables are text exactly as written") {
  const job::Plan plan = plan_of(R"(
env: {A: 1.10, B: true, C: 007, D: null, E: '', F: "x\ty", G: yes, H: ~}
tasks:
  - 1.10
  - true
  - [echo, 1.10, true, null, ~, 007, '', "a\nb"]
  - |
    echo one
    echo two
  - {command: 5}
)");
  CHECK(command_of(plan, 0).text() == "1.10");
  CHECK(command_of(plan, 1).text() == "true");
  CHECK(command_of(plan, 2).words() ==
        Words{"echo", "1.10", "true", "null", "~", "007", "", "a\nb"});
  CHECK(!command_of(plan, 2).is_shell());
  CHECK(command_of(plan, 3).is_shell());
  CHECK(command_of(plan, 3).words() == Words{"echo one\necho two\n"});
  CHECK(command_of(plan, 4).text() == "5");
  const auto& env = command_of(plan, 0).settings().env;
  CHECK(env.at("A") == "1.10");
  CHECK(env.at("B") == "true");
  CHECK(env.at("C") == "007");
  CHECK(!env.at("D"));
  CHECK(env.at("E") == "");
  CHECK(env.at("F") == "x\ty");
  CHECK(env.at("G") == "yes");
  CHECK(!env.at("H"));
}

TEST_CASE("nearer options win, whatever the order of the keys; env merges") {
  const job::Plan plan = plan_of(R"(
groups:
  g:
    tasks:
      - a
      - {command: b, retries: 3, env: {T: task, X: task}}
    retries: 2
    env: {G: group, X: group}
tasks: [c]
defaults: {retries: 1, timeout: 9s, env: {D: defaults, X: defaults}}
env: {E: file, X: file}
)");
  CHECK(names_of(plan) == Names{"c", "a", "b"});
  CHECK(options_of(plan, 0).retries == 1);
  CHECK(options_of(plan, 1).retries == 2);
  CHECK(options_of(plan, 2).retries == 3);
  CHECK(options_of(plan, 2).timeout == 9s);
  using Env = std::map<std::string, std::optional<std::string>>;
  CHECK(command_of(plan, 0).settings().env ==
        Env{{"E", "file"}, {"D", "defaults"}, {"X", "defaults"}});
  CHECK(command_of(plan, 2).settings().env ==
        Env{{"E", "file"}, {"D", "defaults"}, {"G", "group"}, {"T", "task"}, {"X", "task"}});
}

TEST_CASE("null takes back what was set further out") {
  const job::Plan plan = plan_of(R"(
defaults: {timeout: 5, max_delay: 5, delay: 5, metadata: 5, cwd: x, stdin: y, grace: 1}
tasks:
  - {command: a, timeout: null, max_delay: ~, delay: null, metadata: null, cwd: null, stdin: null,
     grace: null}
)");
  const TaskOptions& options = options_of(plan, 0);
  CHECK(!options.timeout);
  CHECK(!options.max_delay);
  CHECK(!options.delay);
  CHECK(!options.metadata);
  CHECK(!options.grace);
  CHECK(command_of(plan, 0).settings().cwd.empty());
  CHECK(!command_of(plan, 0).settings().stdin_text);
}

TEST_CASE("of delay and run_at the nearer replaces the other") {
  const job::Plan plan = plan_of(
      "defaults: {delay: 5}\ntasks: [{command: a, run_at: 0}]\n"
      "groups: {g: {run_at: 0, tasks: [{command: b, delay: 1}]}}\n");
  CHECK(!options_of(plan, 0).delay);
  CHECK(options_of(plan, 0).run_at);
  CHECK(options_of(plan, 1).delay == 1s);
  CHECK(!options_of(plan, 1).run_at);
}

TEST_CASE("submission order: tasks, groups in file order with their finally tasks, finally") {
  const std::vector<job::Source> sources = {
      {"a.yaml", "finally: [f1]\ngroups: {z: {finally: [zf], tasks: [z1]}, y: [y1]}\ntasks: [t1]\n",
       "/"},
      {"b.yaml", "tasks: [t2]\nfinally: [f2]\ngroups: {x: [x1]}\n", "/"}};
  const auto reading = job::read(sources, {}, {}, job::RunInputs::no);
  REQUIRE(reading.plan);
  const job::Plan& plan = *reading.plan;
  CHECK(plan.name == "a+b");
  CHECK(names_of(plan) == Names{"t1", "z1", "zf", "y1", "t2", "x1", "f1", "f2"});
  std::string finally;
  std::string groups;
  for (const auto& task : plan.batch.tasks()) {
    finally += task.finally() ? 'f' : '-';
    groups += task.group()
                  ? plan.batch.groups()[static_cast<std::size_t>(*task.group())].options.group_id
                  : "-";
  }
  CHECK(finally == "--f---ff");
  CHECK(groups == "-zzy-x--");
}

TEST_CASE("of several files each keeps its own env and defaults") {
  const std::vector<job::Source> sources = {
      {"a.yaml", "env: {A: a}\ndefaults: {retries: 1}\nqueue: {workers: 2}\ntasks: [x]\n", "/one"},
      {"b.yaml", "env: {B: b}\nqueue: {workers: 2, size: 3}\ntasks: [{command: y, cwd: c}]\n",
       "/two"}};
  const auto reading = job::read(sources, {}, {}, job::RunInputs::no);
  REQUIRE(reading.plan);
  CHECK(options_of(*reading.plan, 0).retries == 1);
  CHECK(options_of(*reading.plan, 1).retries == 0);
  CHECK(command_of(*reading.plan, 1).settings().env.contains("B"));
  CHECK(!command_of(*reading.plan, 1).settings().env.contains("A"));
  CHECK(command_of(*reading.plan, 1).settings().cwd == "/two/c");
  CHECK(reading.plan->queue.workers == 2);
  CHECK(reading.plan->queue.size == 3);
}

TEST_CASE("files that differ in the queue or share a group's name are refused") {
  const std::vector<job::Source> sources = {
      {"a.yaml", "queue: {workers: 2}\ngroups: {g: [x]}\n", "/"},
      {"b.yaml", "queue: {workers: 3}\ngroups: {g: [y]}\n", "/"}};
  const auto reading = job::read(sources, {}, {}, job::RunInputs::no);
  CHECK(test::shown(reading.diagnostics) ==
        "b.yaml:1:18: error: workers differs from a.yaml:1\n"
        "queue: {workers: 3}\n                 ^\n"
        "files that run together have one queue\n\n"
        "b.yaml:2:10: error: group 'g' is also in a.yaml:2\n"
        "groups: {g: [y]}\n         ^\n");
  job::Overrides overrides;
  overrides.workers = job::Overrides::Workers{8};
  CHECK(job::read(sources, overrides, {}, job::RunInputs::no).diagnostics.size() == 1);
}

TEST_CASE("group options are those of the group") {
  const job::Plan plan = plan_of("groups: {api: {workers: 2, tasks: [a, b]}, other: [c]}");
  CHECK(plan.batch.groups()[0].options.group_id == "api");
  CHECK(plan.batch.groups()[0].options.workers == 2);
  CHECK(plan.batch.groups()[1].options.workers == 0);
}

TEST_CASE("a command over inputs") {
  const job::Plan plan = plan_of(R"(
groups:
  thumbnails:
    command: convert {} -resize 200x {.}-small{ext}
    inputs: [a.jpg, "b c.jpg", 1.10, null]
  pairs:
    command: [cp, "{1}", "{2}/x"]
    inputs: [[a, b], [c, d]]
    finally: [done]
  people:
    command: greet --name={name} {#}
    inputs:
      - {name: O'Neil}
)");
  CHECK(names_of(plan) == Names{"convert a.jpg -resize 200x a-small.jpg",
                                "convert 'b c.jpg' -resize 200x 'b c'-small.jpg",
                                "convert 1.10 -resize 200x 1-small.10",
                                "convert null -resize 200x null-small", "cp a b/x", "cp c d/x",
                                "done", "greet --name='O'\\''Neil' 1"});
  CHECK(command_of(plan, 1).words().front() ==
        "convert \"${OSIISO_1}\" -resize 200x \"${OSIISO_1_NO_EXT}\"-small\"${OSIISO_1_EXT}\"");
  CHECK(command_of(plan, 4).words() == Words{"cp", "a", "b/x"});
}

TEST_CASE("names are given, or the command's text on one line") {
  const job::Plan plan = plan_of(R"(
tasks:
  - {name: given, command: a}
  - {name: '', command: b}
  - "c\n  d"
  - eeeeeeeeee eeeeeeeeee eeeeeeeeee eeeeeeeeee eeeeeeeeee eeeeeeeeee
)");
  CHECK(names_of(plan) ==
        Names{"given", "b", "c d", "eeeeeeeeee eeeeeeeeee eeeeeeeeee eeeeeeeeee eeeeeeeeee eeee…"});
}

TEST_CASE("tasks with equal options share them") {
  const job::Plan plan = plan_of(R"(
tasks:
  - a
  - b
  - {command: c, retries: 1}
  - {command: d, retries: 1, env: {A: 1}}
  - {command: e, env: {A: 1}, retries: 1}
groups:
  g: {retries: 1, tasks: [f, {command: g, retries: 0}]}
)");
  const auto& tasks = plan.batch.tasks();
  CHECK(tasks[0].options() == tasks[1].options());
  CHECK(tasks[0].options() != tasks[2].options());
  CHECK(tasks[2].options() == tasks[3].options());
  CHECK(tasks[2].options() == tasks[5].options());
  CHECK(tasks[0].options() == tasks[6].options());
  CHECK(&command_of(plan, 0).settings() == &command_of(plan, 2).settings());
  CHECK(&command_of(plan, 3).settings() == &command_of(plan, 4).settings());
}
