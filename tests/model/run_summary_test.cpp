// SPDX-License-Identifier: MIT
#include "osiiso/run_summary.hpp"

#include <string>

#include <doctest/doctest.h>

namespace osiiso {
namespace {

ResultPtr result(std::string name, Status status, std::string group_id = {}) {
  static std::uint64_t made_so_far = 0;
  TaskResult made;
  made.task_id = TaskId(0, ++made_so_far);
  made.name = std::move(name);
  made.group_id = std::move(group_id);
  made.status = status;
  if (status == Status::succeeded) made.value = made.name;
  return std::make_shared<const TaskResult>(std::move(made));
}

RunSummary summary_of(std::initializer_list<ResultPtr> results) {
  RunSummary summary;
  for (const ResultPtr& each : results) summary.add(each);
  return summary;
}

std::string names(const ResultList& results) {
  std::string text;
  for (const ResultPtr& each : results) text += each->name + " ";
  return text;
}

template <typename Call>
std::string thrown(Call call) {
  try {
    call();
  } catch (const ExecutionError& error) {
    return std::string(error.what()) + ": " + names(error.results());
  }
  return "nothing";
}

TEST_CASE("an empty run is ok") {
  const RunSummary summary;
  CHECK(summary.ok());
  CHECK(std::string(summary.status()) == "PASSED");
  CHECK(thrown([&] { summary.raise_unless_ok(); }) == "nothing");
}

TEST_CASE("results are counted by how they ended") {
  const RunSummary summary = summary_of(
      {result("a", Status::succeeded), result("b", Status::failed), result("c", Status::cancelled),
       result("d", Status::failed), result("e", Status::succeeded)});
  CHECK(summary.total_submitted == 5);
  CHECK(summary.succeeded == 2);
  CHECK(summary.failed == 2);
  CHECK(summary.cancelled == 1);
  CHECK(names(summary.results) == "a b c d e ");
  CHECK(names(summary.successes()) == "a e ");
  CHECK(names(summary.errors()) == "b d ");
  CHECK(names(summary.cancellations()) == "c ");
  const auto values = summary.values();
  REQUIRE(values.size() == 2);
  CHECK(std::any_cast<std::string>(values[0]) == "a");
  CHECK(std::any_cast<std::string>(values[1]) == "e");
}

TEST_CASE("a failure, a cancellation and the timeout each keep a run from being ok") {
  CHECK(summary_of({result("a", Status::succeeded)}).ok());
  CHECK_FALSE(summary_of({result("a", Status::failed)}).ok());
  CHECK_FALSE(summary_of({result("a", Status::cancelled)}).ok());
  RunSummary late = summary_of({result("a", Status::succeeded)});
  late.timed_out = true;
  CHECK_FALSE(late.ok());
}

TEST_CASE("timed out is told before errors") {
  RunSummary summary = summary_of({result("a", Status::cancelled)});
  CHECK(std::string(summary.status()) == "COMPLETED WITH ERRORS");
  summary.timed_out = true;
  CHECK(std::string(summary.status()) == "TIMED OUT");
}

TEST_CASE("groups stand in order of first appearance, the ungrouped under none") {
  const RunSummary summary =
      summary_of({result("a", Status::succeeded, "z"), result("b", Status::failed),
                  result("c", Status::succeeded, "y"), result("d", Status::succeeded, "z")});
  const auto groups = summary.by_group();
  REQUIRE(groups.size() == 3);
  CHECK(groups[0].first == "z");
  CHECK(names(groups[0].second) == "a d ");
  CHECK_FALSE(groups[1].first);
  CHECK(names(groups[1].second) == "b ");
  CHECK(groups[2].first == "y");
}

TEST_CASE("results are found by name and by id") {
  const RunSummary summary =
      summary_of({result("a", Status::succeeded), result("a", Status::failed, "g"),
                  result("b", Status::succeeded)});
  CHECK(summary.by_name().at("a").size() == 2);
  CHECK(summary.by_name().count("c") == 0);
  CHECK(summary.by_task_id().size() == 3);
  for (const ResultPtr& result : summary.results) {
    CHECK(summary.by_task_id().at(result->task_id) == result);
  }
}

TEST_CASE("errors are raised with the counts, failed results first") {
  const RunSummary failed = summary_of({result("a", Status::failed), result("b", Status::failed)});
  CHECK(thrown([&] { failed.raise_for_errors(); }) == "2 task(s) failed: a b ");
  CHECK(thrown([&] { failed.raise_for_errors(true); }) == "2 task(s) failed: a b ");

  const RunSummary both = summary_of({result("a", Status::cancelled), result("b", Status::failed),
                                      result("c", Status::cancelled)});
  CHECK(thrown([&] { both.raise_for_errors(); }) == "1 task(s) failed: b ");
  CHECK(thrown([&] { both.raise_for_errors(true); }) ==
        "1 task(s) failed; 2 task(s) cancelled: b a c ");

  const RunSummary cancelled = summary_of({result("a", Status::cancelled)});
  CHECK(thrown([&] { cancelled.raise_for_errors(); }) == "nothing");
  CHECK(thrown([&] { cancelled.raise_for_errors(true); }) == "1 task(s) cancelled: a ");
  CHECK(thrown([&] { cancelled.raise_unless_ok(); }) == "1 task(s) cancelled: a ");
}

TEST_CASE("a run that only timed out says so") {
  RunSummary summary = summary_of({result("a", Status::succeeded)});
  summary.timed_out = true;
  CHECK(thrown([&] { summary.raise_for_errors(true); }) == "nothing");
  CHECK(thrown([&] { summary.raise_unless_ok(); }) == "run timed out: ");
  summary.add(result("b", Status::failed));
  CHECK(thrown([&] { summary.raise_unless_ok(); }) == "1 task(s) failed: b ");
}

}  // namespace
}  // namespace osiiso
