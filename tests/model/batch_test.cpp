// SPDX-License-Identifier: MIT
#include "osiiso/batch.hpp"

#include <chrono>
#include <iterator>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "osiiso/error.hpp"

namespace osiiso {
namespace {

using Names = std::vector<std::string>;
using Task = Batch::Task;
using Group = Batch::Group;

void nothing() {}

// Tasks and groups by name, with the least that a batch asks for.
struct Build {
  Batch batch;

  Task task(const std::string& name, std::optional<Group> group = {}) {
    return batch.add(name, nullptr, nothing, group);
  }
  Task finally(const std::string& name, std::optional<Group> group = {}) {
    return batch.add_finally(name, nullptr, nothing, group);
  }
  Group group(const std::string& name) { return batch.add_group({.group_id = name}); }
};

TEST_CASE("a batch keeps what it is given, in order") {
  Build build;
  CHECK(build.batch.empty());
  const Group site = build.batch.add_group({.group_id = "site", .workers = 2});
  const Task first = build.batch.add({.name = "first", .retries = 2}, nothing, site);
  const Task second = build.task("second");
  const Task last = build.finally("last", site);
  build.batch.need(second, first);
  build.batch.need(site, second);

  REQUIRE(build.batch.tasks().size() == 3);
  CHECK(first == Task{0});
  CHECK(second == Task{1});
  CHECK(last == Task{2});
  const auto& tasks = build.batch.tasks();
  CHECK(tasks[0].name() == "first");
  CHECK(tasks[0].options()->retries == 2);
  CHECK(tasks[0].group() == site);
  CHECK_FALSE(tasks[0].finally());
  CHECK_FALSE(tasks[1].group());
  REQUIRE(tasks[1].needs().size() == 1);
  CHECK_FALSE(tasks[1].needs()[0].is_group);
  CHECK(tasks[1].needs()[0].index == 0);
  CHECK(tasks[2].finally());
  REQUIRE(build.batch.groups().size() == 1);
  CHECK(build.batch.groups()[0].options.workers == 2);
  CHECK(build.batch.groups()[0].needs.size() == 1);

  CHECK(build.batch.release().tasks.size() == 3);
  CHECK(build.batch.empty());
}

TEST_CASE("shared options are shared, and their name is a task's that has none") {
  Batch batch;
  const auto options = std::make_shared<const TaskOptions>(TaskOptions{.name = "of-options"});
  batch.add("own", options, nothing);
  batch.add("", options, nothing);
  CHECK(batch.tasks()[0].options() == options);
  CHECK(batch.tasks()[0].name() == "own");
  CHECK(batch.tasks()[1].name() == "of-options");
}

TEST_CASE("what a batch gives away names its traits where they stand then") {
  Batch batch;
  const auto options = std::make_shared<const TaskOptions>(TaskOptions{.priority = 1});
  const auto group = batch.add_group({.group_id = "g"});
  batch.add("", options, nothing);
  batch.add("", options, nothing);
  batch.add("", options, nothing, group);
  batch.add_finally("", options, nothing, group);
  batch.add("", nullptr, nothing);
  Batch moved(std::move(batch));
  const auto contents = moved.release();
  REQUIRE(contents.tasks.size() == 5);
  CHECK(std::ranges::distance(contents.traits) == 4);
  CHECK(contents.tasks[0].traits == contents.tasks[1].traits);
  CHECK(contents.tasks[1].traits == &*std::next(contents.traits.begin(), 3));
  CHECK(contents.tasks.back().traits == &contents.traits.front());
  CHECK(contents.tasks[2].group() == group);
  CHECK_FALSE(contents.tasks[2].finally());
  CHECK(contents.tasks[3].finally());
  CHECK(contents.tasks[3].options()->priority == 1);
  CHECK(contents.tasks[4].options()->priority == TaskOptions().priority);
  CHECK(moved.empty());
  CHECK(moved.groups().empty());
}

TEST_CASE("a batch refuses options and positions that cannot be") {
  Build build;
  CHECK_THROWS_WITH_AS(build.batch.add({.retries = -1}, nothing), "retries must be >= 0",
                       OptionError);
  CHECK_THROWS_AS(build.batch.add_group({.workers = -1}), OptionError);
  CHECK_THROWS_AS(build.task("a", Group{0}), OptionError);
  const Task task = build.task("a");
  CHECK_THROWS_AS(build.batch.need(task, Task{1}), OptionError);
  CHECK_THROWS_AS(build.batch.need(Task{1}, task), OptionError);
  CHECK_THROWS_AS(build.batch.need(task, Group{0}), OptionError);
  CHECK(build.batch.tasks().size() == 1);
}

TEST_CASE("needs in one direction are no cycle") {
  Build build;
  CHECK(build.batch.find_cycle().empty());
  const Group first = build.group("first");
  const Group second = build.group("second");
  const Task a = build.task("a", first);
  const Task b = build.task("b", first);
  const Task c = build.task("c", second);
  const Task d = build.task("d");
  build.finally("clean", first);
  build.finally("clean-too", first);
  build.finally("stop");
  build.finally("stop-too");
  build.batch.need(b, a);
  build.batch.need(second, first);
  build.batch.need(second, a);
  build.batch.need(d, c);
  build.batch.need(d, second);
  build.batch.need(d, first);
  CHECK(build.batch.find_cycle().empty());
}

TEST_CASE("a cycle among tasks is shown along its path") {
  Build build;
  const Task a = build.task("a");
  const Task b = build.task("b");
  const Task c = build.task("c");
  build.batch.need(a, b);
  build.batch.need(b, c);
  build.batch.need(c, b);
  CHECK(build.batch.find_cycle() == Names{"b", "c", "b"});
}

TEST_CASE("a task that needs itself is a cycle") {
  Build build;
  const Task a = build.task("a");
  build.batch.need(a, a);
  CHECK(build.batch.find_cycle() == Names{"a", "a"});
}

TEST_CASE("a task of a group that needs its own group is a cycle") {
  Build build;
  const Group group = build.group("group");
  const Task a = build.task("a", group);
  build.batch.need(a, group);
  CHECK(build.batch.find_cycle() == Names{"a", "group", "a"});
}

TEST_CASE("groups that need each other, and one that needs itself, are a cycle") {
  Build build;
  const Group x = build.group("x");
  const Group y = build.group("y");
  build.task("a", x);
  build.task("b", y);
  build.batch.need(x, y);
  CHECK(build.batch.find_cycle().empty());
  build.batch.need(y, x);
  CHECK(build.batch.find_cycle() == Names{"x", "y", "x"});

  Build alone;
  const Group group = alone.group("group");
  alone.batch.need(group, group);
  CHECK(alone.batch.find_cycle() == Names{"group", "group"});
}

TEST_CASE("what a group needs holds its tasks") {
  Build build;
  const Group group = build.group("group");
  const Task inside = build.task("inside", group);
  const Task outside = build.task("outside");
  build.batch.need(group, outside);
  build.batch.need(outside, inside);
  CHECK(build.batch.find_cycle() == Names{"inside", "group", "outside", "inside"});
}

TEST_CASE("what a group needs does not hold its finally tasks") {
  Build build;
  const Group group = build.group("group");
  build.task("inside", group);
  const Task clean = build.finally("clean", group);
  const Task outside = build.task("outside");
  build.batch.need(group, outside);
  // Pointless, since `clean` waits for `inside`, which waits for `outside`: a cycle all the same.
  build.batch.need(outside, clean);
  CHECK(build.batch.find_cycle() == Names{"inside", "group", "outside", "clean", "inside"});

  Build empty;
  const Group only_finally = empty.group("only-finally");
  const Task last = empty.finally("last", only_finally);
  const Task other = empty.task("other");
  empty.batch.need(only_finally, other);
  empty.batch.need(other, last);
  CHECK(empty.batch.find_cycle().empty());
}

TEST_CASE("who needs a finally task of its own scope waits for ever") {
  Build of_group;
  const Group group = of_group.group("group");
  const Task work = of_group.task("work", group);
  const Task clean = of_group.finally("clean", group);
  of_group.batch.need(work, clean);
  CHECK(of_group.batch.find_cycle() == Names{"work", "clean", "work"});

  Build of_run;
  const Group other = of_run.group("other");
  const Task inside = of_run.task("inside", other);
  const Task stop = of_run.finally("stop");
  of_run.batch.need(inside, stop);
  CHECK(of_run.batch.find_cycle() == Names{"inside", "stop", "inside"});

  // The finally tasks of a group come before those of the run.
  Build both;
  const Group third = both.group("third");
  const Task early = both.finally("early", third);
  const Task late = both.finally("late");
  both.batch.need(late, early);
  CHECK(both.batch.find_cycle().empty());
  both.batch.need(early, late);
  CHECK(both.batch.find_cycle() == Names{"early", "late", "early"});
}

TEST_CASE("a cycle through what has no name is shown with a name made for it") {
  Batch batch;
  const Group group = batch.add_group({});
  const Task task = batch.add({}, Command::shell("make all"), group);
  batch.need(task, group);
  CHECK(batch.find_cycle() == Names{"make all", "group 1", "make all"});
}

TEST_CASE("a chain of 100,000 tasks is searched without recursion") {
  Build build;
  const Task first = build.task("first");
  Task last = first;
  for (int i = 1; i < 100'000; ++i) {
    const Task next = build.task("t");
    build.batch.need(last, next);
    last = next;
  }
  CHECK(build.batch.find_cycle().empty());
  build.batch.need(last, first);
  CHECK(build.batch.find_cycle().size() == 100'001);
}

TEST_CASE("large groups that need each other in a row are searched in linear time") {
  Build build;
  std::optional<Group> before;
  for (int g = 0; g < 20; ++g) {
    const Group group = build.group("g");
    for (int i = 0; i < 5'000; ++i) build.task("t", group);
    build.finally("f", group);
    if (before) build.batch.need(group, *before);
    before = group;
  }
  build.finally("end");
  // Drawn out, the needs would be 19 x 5,000 x 5,000 edges.
  const auto start = std::chrono::steady_clock::now();
  CHECK(build.batch.find_cycle().empty());
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
}

}  // namespace
}  // namespace osiiso
