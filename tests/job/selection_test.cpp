// SPDX-License-Identifier: MIT
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "job/reading.hpp"

using namespace osiiso;

namespace {

const char* const kJob = R"(
tasks:
  - {name: fetch, command: a}
  - {name: parse, command: b, needs: [fetch]}
  - {name: lone, command: c}
groups:
  base: {tasks: [{name: base-1, command: d}], finally: [{name: base-end, command: e}]}
  site:
    needs: [base]
    workers: 2
    tasks: [{name: build, command: f}, {name: check, command: g, needs: [build, parse]}]
    finally: [{name: clean, command: h}]
  empty: []
  after: {needs: [empty], tasks: [{name: after-1, command: i}]}
finally: [{name: stop, command: j}]
)";

std::string selected(std::vector<std::string> groups, std::vector<std::string> globs) {
  const job::Plan plan =
      test::plan_of(kJob, {}, {.group_globs = std::move(groups), .task_globs = std::move(globs)});
  std::string all;
  for (const std::string& name : test::names_of(plan)) all += (all.empty() ? "" : " ") + name;
  return all;
}

}  // namespace

TEST_CASE("nothing selected is everything") {
  CHECK(selected({}, {}) == "fetch parse lone base-1 base-end build check clean after-1 stop");
}

TEST_CASE("a task brings what it needs, and the finally tasks of what it touches") {
  CHECK(selected({}, {"lone"}) == "lone stop");
  CHECK(selected({}, {"parse"}) == "fetch parse stop");
  CHECK(selected({}, {"build"}) == "base-1 base-end build clean stop");
  CHECK(selected({}, {"check"}) == "fetch parse base-1 base-end build check clean stop");
  CHECK(selected({}, {"after-1"}) == "after-1 stop");
  CHECK(selected({}, {"stop"}) == "stop");
}

TEST_CASE("groups and patterns add up, in the order of the file") {
  CHECK(selected({"base"}, {}) == "base-1 base-end stop");
  CHECK(selected({"base"}, {"l*", "fet[c]h"}) == "fetch lone base-1 base-end stop");
  CHECK(selected({"site"}, {}) == selected({}, {"build", "check"}));
  CHECK(selected({}, {"*"}) == selected({}, {}));
  CHECK(selected({"[bs]*e"}, {}) == selected({"base", "site"}, {}));
}

TEST_CASE("needs and group options survive the selection") {
  const job::Plan plan = test::plan_of(kJob, {}, {.group_globs = {"site"}, .task_globs = {}});
  REQUIRE(plan.batch.groups().size() == 2);
  CHECK(plan.batch.groups()[1].options.workers == 2);
  REQUIRE(plan.batch.groups()[1].needs.size() == 1);
  CHECK(plan.batch.groups()[1].needs[0].is_group);
  CHECK(plan.batch.groups()[1].needs[0].index == 0);
  const auto& check = plan.batch.tasks()[5];
  CHECK(check.name() == "check");
  CHECK(check.needs()[0].index == 4);
  CHECK(check.needs()[1].index == 1);
}

TEST_CASE("a group without tasks leaves nothing to run") {
  const job::Reading reading =
      test::read_text(kJob, {}, {.group_globs = {"empty"}, .task_globs = {}});
  REQUIRE(reading.plan);
  CHECK(reading.empty);
}

TEST_CASE("what is not there is an error that names what is near") {
  CHECK(
      test::diagnostics_of(kJob, {}, {.group_globs = {"stie"}, .task_globs = {"biuld", "zzz*"}}) ==
      "osiiso: no group is called 'stie'\ndid you mean 'site'?\n\n"
      "osiiso: no task matches 'biuld'\ndid you mean 'build'?\n\n"
      "osiiso: no task matches 'zzz*'\n"
      "there are 'fetch', 'parse', 'lone', 'base-1', 'base-end' and 5 more\n");
  CHECK(test::diagnostics_of("tasks: [a]", {}, {.group_globs = {"x"}, .task_globs = {"zzz"}}) ==
        "osiiso: no group is called 'x'\n\nosiiso: no task matches 'zzz'\nthere is 'a'\n");
}
