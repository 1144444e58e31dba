// SPDX-License-Identifier: MIT
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "job/reading.hpp"

using namespace osiiso;
using test::plan_of;

namespace {

// `name<-need,need` of each task and group that needs something.
std::string needs_of(const job::Plan& plan) {
  const std::vector<std::string> names = test::names_of(plan);
  std::string all;
  const auto add = [&](const std::string& owner, const std::vector<Batch::Need>& needs) {
    if (needs.empty()) return;
    all += (all.empty() ? "" : " ") + owner + "<-";
    for (const Batch::Need& need : needs) {
      if (&need != &needs.front()) all += ',';
      all += need.is_group ? "@" + plan.batch.groups()[need.index].options.group_id
                           : names[need.index];
    }
  };
  for (std::size_t i = 0; i < names.size(); ++i) add(names[i], plan.batch.tasks()[i].needs());
  for (const auto& group : plan.batch.groups()) add("@" + group.options.group_id, group.needs);
  return all;
}

}  // namespace

TEST_CASE("needs name tasks and groups, before or after") {
  CHECK(needs_of(plan_of(R"(
tasks:
  - {name: check, command: x, needs: [build, site]}
  - {name: build, command: y}
groups:
  site: {needs: [build], tasks: [{command: z, needs: [w]}, w]}
)")) == "check<-build,@site z<-w @site<-build");
}

TEST_CASE("a task can be needed by its command's text where it has no other name") {
  CHECK(needs_of(plan_of("tasks: [make site, {command: x, needs: [make site]}]")) ==
        "x<-make site");
  CHECK(needs_of(plan_of("groups: {g: {command: 'f {}', inputs: [a, b]}}\n"
                         "tasks: [{command: x, needs: [f b]}]")) == "x<-f b");
}

TEST_CASE("what defaults need holds for all but what is needed") {
  CHECK(needs_of(plan_of(R"(
defaults: {needs: [setup, base]}
tasks: [setup, a]
groups:
  base: [b]
  other: {tasks: [c], finally: [d]}
finally: [e]
)")) == "a<-setup,@base c<-setup,@base");
}

TEST_CASE("a name means the file's own task first") {
  const std::vector<job::Source> sources = {
      {"a.yaml", "tasks: [{name: build, command: x}, {command: y, needs: [build]}]", "/"},
      {"b.yaml", "tasks: [{name: build, command: z}, {command: w, needs: [build, y]}]", "/"}};
  const auto reading = job::read(sources, {}, {}, job::RunInputs::no);
  REQUIRE(reading.plan);
  const auto& tasks = reading.plan->batch.tasks();
  CHECK(tasks[1].needs().front().index == 0);
  CHECK(tasks[3].needs().front().index == 2);
  CHECK(tasks[3].needs().back().index == 1);
}

TEST_CASE("what is wrong with needs") {
  CHECK(test::brief("tasks: [{name: build, command: a}, {command: b, needs: [buidl]}]") ==
        "1:57 no task or group is called 'buidl' | did you mean 'build'?");
  CHECK(test::brief("tasks: [a, a, {command: b, needs: [a]}]") ==
        "1:36 'a' can mean a task on line 1 and a task on line 1 | what is needed must have a name "
        "of its own");
  CHECK(test::brief("groups: {g: {needs: [f], tasks: [a]}}\nfinally: [{name: f, command: x}]") ==
        "1:22 'f' is a finally task, which nothing can need");
  CHECK(test::brief("tasks: [a]\ngroups: {g: {tasks: [b], finally: [{command: c, needs: [a]}]}}") ==
        "2:57 a finally task has no needs: it runs after all others, however they went");
}

TEST_CASE("cycles are told with their path, at one of the needs") {
  CHECK(test::brief("tasks:\n- {name: a, command: x, needs: [b]}\n"
                    "- {name: b, command: y, needs: [a]}\n") ==
        "2:33 needs form a cycle: a -> b -> a");
  CHECK(test::brief("groups: {g: {needs: [g], tasks: [a]}}") == "1:22 needs form a cycle: g -> g");
  CHECK(test::brief("tasks: [{name: a, command: x, needs: [g]}]\n"
                    "groups: {g: [{command: y, needs: [a]}]}")
            .find("needs form a cycle: a -> g -> y -> a") != std::string::npos);
}

TEST_CASE("a long chain is no cycle, and a long cycle is shown short") {
  std::string text = "tasks:\n";
  for (int i = 0; i < 20'000; ++i) {
    text += "- {name: t" + std::to_string(i) + ", command: x, needs: [t" + std::to_string(i + 1) +
            "]}\n";
  }
  CHECK(plan_of(text + "- {name: t20000, command: x}\n").batch.tasks().size() == 20'001);
  const std::string told = test::brief(text + "- {name: t20000, command: x, needs: [t0]}\n");
  CHECK(told.find("needs form a cycle: t0 -> t1 -> ") != std::string::npos);
  CHECK(told.find(" -> … -> ") != std::string::npos);
  CHECK(told.size() < 400);
}
