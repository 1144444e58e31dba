// SPDX-License-Identifier: MIT
#include "report/result_store.hpp"

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "report/json.hpp"
#include "report/sample_results.hpp"

namespace osiiso::report {
namespace {

using View = ResultStore::View;

// More than stay in memory.
constexpr int kMany = 2'500;

ResultPtr made(int number) {
  auto result = test::result("task " + std::to_string(number),
                             number % 7 == 0 ? Status::failed : Status::succeeded, "as it is");
  result.number = static_cast<std::uint64_t>(number);
  result.group_id = number % 2 == 0 ? "even" : "odd";
  result.restored = number % 10 == 0;
  return std::make_shared<const TaskResult>(std::move(result));
}

/// Every second one from the end, then the others.
std::vector<int> scattered_numbers() {
  std::vector<int> numbers;
  for (int number = kMany; number > 0; number -= 2) numbers.push_back(number);
  for (int number = 1; number < kMany; number += 2) numbers.push_back(number);
  return numbers;
}

void check_all_are_there() {
  ResultStore store;
  for (const int number : scattered_numbers()) store.add(made(number));
  const View ran(store, false);
  const View restored(store, true);
  REQUIRE(ran.size() == kMany - kMany / 10);
  REQUIRE(restored.size() == kMany / 10);
  std::size_t next_ran = 0;
  std::size_t next_restored = 0;
  for (int number = 1; number <= kMany; ++number) {
    const auto expected = made(number);
    const View& view = expected->restored ? restored : ran;
    const auto index = expected->restored ? next_restored++ : next_ran++;
    CHECK(view.json(index) == json_of(*expected));
    const auto found = view.at(index);
    CHECK(found->name == expected->name);
    CHECK(found->status == expected->status);
    CHECK(found->restored == expected->restored);
  }
}

}  // namespace

TEST_CASE("a store gives back every result by number, wherever it is") {
  check_all_are_there();
}

TEST_CASE("what no file takes stays in memory") {
  const char* const before = std::getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe)
  const std::string folder = before == nullptr ? "" : before;
  ::setenv("TMPDIR", "/no/such/folder", 1);  // NOLINT(concurrency-mt-unsafe)
  check_all_are_there();
  ::setenv("TMPDIR", folder.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): empty is none
}

TEST_CASE("a store counts the groups of what it was given, in order of submission") {
  ResultStore store;
  for (const int number : scattered_numbers()) store.add(made(number));
  const auto groups = View(store, false).groups().list();
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].id == "odd");
  CHECK(groups[0].counts.total == kMany / 2);
  CHECK(groups[1].id == "even");
  CHECK(groups[1].counts.total == kMany / 2 - kMany / 10);
  CHECK(groups[1].counts.failed == 2'500 / 14 - 2'500 / 70);
  const auto restored = View(store, true).groups().list();
  REQUIRE(restored.size() == 1);
  CHECK(restored[0].counts.total == kMany / 10);
}

TEST_CASE("an empty store has nothing") {
  const ResultStore store;
  CHECK(View(store, false).size() == 0);
  CHECK(View(store, true).groups().list().empty());
}

}  // namespace osiiso::report
