// SPDX-License-Identifier: MIT
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "job/reading.hpp"

using namespace osiiso;
using test::brief;
using test::command_of;
using test::names_of;
using test::options_of;
using test::plan_of;

TEST_CASE("anchors and aliases") {
  const job::Plan plan = plan_of(R"(
x-common: &common {retries: 2, env: &env {A: 1}}
x-list: &list [a, &b b, *b]
tasks: *list
groups:
  one: {<<: *common, tasks: *list}
  two: {env: *env, tasks: [*b]}
)");
  CHECK(names_of(plan) == std::vector<std::string>{"a", "b", "b", "a", "b", "b", "b"});
  CHECK(options_of(plan, 0).retries == 0);
  CHECK(options_of(plan, 3).retries == 2);
  CHECK(command_of(plan, 6).settings().env.at("A") == "1");
}

TEST_CASE("an anchor may be given again; an alias means the last one above") {
  const job::Plan plan = plan_of("tasks: [&x a, *x, &x b, *x]");
  CHECK(names_of(plan) == std::vector<std::string>{"a", "a", "b", "b"});
}

TEST_CASE("merge keys: the mapping's own keys win wherever they stand, then the first merged") {
  const job::Plan plan = plan_of(R"(
x-a: &a {retries: 1, timeout: 1, priority: 1}
x-b: &b {retries: 2, timeout: 2, backoff: 2}
x-c: &c {<<: *b, jitter: 0.5, backoff: 3}
tasks:
  - {retries: 9, <<: *a, command: x}
  - {<<: [*a, *b], command: x, priority: 8}
  - {command: x, <<: {<<: *c, timeout: 7}}
)");
  CHECK(options_of(plan, 0).retries == 9);
  CHECK(options_of(plan, 0).priority == 1);
  CHECK(options_of(plan, 1).retries == 1);
  CHECK(options_of(plan, 1).backoff == 2);
  CHECK(options_of(plan, 1).priority == 8);
  CHECK(options_of(plan, 2).retries == 2);
  CHECK(options_of(plan, 2).backoff == 3);
  CHECK(options_of(plan, 2).jitter == 0.5);
  CHECK(options_of(plan, 2).timeout == std::chrono::seconds(7));
}

TEST_CASE("whole lists of tasks can be merged into groups") {
  const job::Plan plan = plan_of(
      "groups:\n  a: &a {retries: 1, tasks: [x, y]}\n  b: {<<: *a, retries: 2}\n"
      "  c:\n    tasks: [z]\n    <<: *a\n");
  CHECK(names_of(plan) == std::vector<std::string>{"x", "y", "x", "y", "z"});
  CHECK(options_of(plan, 2).retries == 2);
  CHECK(options_of(plan, 4).retries == 1);
}

TEST_CASE("a quoted << is a key like any other") {
  CHECK(brief("tasks: [{'<<': {retries: 1}, command: x}]") == "1:10 unknown key '<<' in a task");
}

TEST_CASE("what is merged may be mistaken, too, and is told once") {
  CHECK(brief("x-a: &a {retrys: 1}\ntasks:\n- {<<: *a, command: x}\n- {<<: *a, command: y}\n") ==
        "1:10 unknown key 'retrys' in a task | did you mean 'retries'?");
  CHECK(brief("tasks: [{<<: 5, command: x}]") ==
        "1:14 a merge key (<<) takes a mapping or a list of mappings");
  CHECK(brief("tasks: [{<<: {a: 1, a: 2}, command: x}]") ==
        "1:15 unknown key 'a' in a task\n1:21 duplicate key 'a', first on line 1");
}

TEST_CASE("x- keys are ignored, whatever is in them") {
  CHECK(plan_of("x-: {a: [1, {b: ~}]}\nx-y:\ntasks: [a]").batch.tasks().size() == 1);
}

TEST_CASE("core schema tags are known") {
  const job::Plan plan = plan_of(
      "!!map\ntasks: !!seq [!!str a, {command: !!str b, retries: !!int 3, must_complete: !!bool "
      "true}]");
  CHECK(options_of(plan, 1).retries == 3);
  CHECK(brief("tasks: [{command: a, retries: !!str 3}]") ==
        "1:31 retries must be a whole number, not the text '3'");
}

TEST_CASE("one document, whatever surrounds it") {
  CHECK(plan_of("%YAML 1.2\n---\ntasks: [a]\n...\n").batch.tasks().size() == 1);
  CHECK(plan_of("--- # comment\ntasks: [a]\n").batch.tasks().size() == 1);
  CHECK(plan_of("\xEF\xBB\xBFtasks: [a]\n").batch.tasks().size() == 1);
  CHECK(plan_of("tasks:\r\n  - a\r\n  - b\r\n").batch.tasks().size() == 2);
  CHECK(plan_of("{\"version\": 1, \"tasks\": [\"a\", [\"b\", \"c\"]]}").batch.tasks().size() == 2);
  CHECK(brief("tasks: [a]\n---\ntasks: [b]\n") ==
        "2:1 a job file is one document, and this begins another");
}

TEST_CASE("64 levels are allowed and 65 are not, also by way of aliases") {
  const auto nested = [](int levels) {
    // The file, the list and the task are three levels themselves.
    const std::string open(static_cast<std::size_t>(levels - 3), '[');
    const std::string close(static_cast<std::size_t>(levels - 3), ']');
    return "tasks: [{command: a, metadata: " + open + close + "}]";
  };
  CHECK(brief(nested(64)).empty());
  CHECK(brief(nested(65)).find("nested deeper than 64 levels") != std::string::npos);
  std::string chain = "x-0: &a0 []\n";
  for (int i = 1; i < 70; ++i) {
    chain += "x-" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" +
             std::to_string(i - 1) + "]\n";
  }
  CHECK(brief(chain + "tasks: [a]").find("nested deeper than 64 levels") != std::string::npos);
}

TEST_CASE("aliases may repeat much, but not too much") {
  std::string items;
  for (int i = 0; i < 1000; ++i) items += "x,";
  const std::string base = "x-a: &a [" + items + "]\nx-b: [";
  std::string many;
  for (int i = 0; i < 900; ++i) many += "*a,";
  CHECK(brief(base + many + "]\ntasks: [a]").empty());
  many += many;
  CHECK(brief(base + many + "]\ntasks: [a]").find("1,000,000 nodes") != std::string::npos);
  const std::string text(1 << 20, 'x');
  std::string repeats;
  for (int i = 0; i < 70; ++i) repeats += "*a,";
  CHECK(brief("x-a: &a " + text + "\nx-b: [" + repeats + "]\ntasks: [a]").find("64 MiB") !=
        std::string::npos);
}

TEST_CASE("an alias inside of what it stands for is refused") {
  CHECK(brief("x-a: &a [*a]").find("the alias is inside what it stands for") != std::string::npos);
  CHECK(brief("x-a: &a {<<: *a}").find("the alias is inside what it stands for") !=
        std::string::npos);
}

TEST_CASE("quotes must be closed, at the end of the file, too") {
  CHECK(brief("tasks: [a]\nname: \"x\n") == "2:7 the quotes are not closed");
  CHECK(brief("tasks: [a]\nname: 'x''\n") == "2:7 the quotes are not closed");
  CHECK(brief("tasks: [a]\nname: &n \"x\\\"\n") == "2:10 the quotes are not closed");
  CHECK(brief("tasks: [a]\nname: 'it''s'\n").empty());
  CHECK(brief("tasks: [a]\nname: \"a\\\\\"").empty());
}

TEST_CASE("duplicate keys in mappings of any size") {
  std::string text = "env:\n";
  for (int i = 0; i < 100; ++i) text += "  A" + std::to_string(i) + ": 1\n";
  CHECK(brief(text + "tasks: [a]").empty());
  CHECK(brief(text + "  A50: 2\n  A3: 2\ntasks: [a]") ==
        "102:3 duplicate key 'A50', first on line 52\n103:3 duplicate key 'A3', first on line 5");
}
