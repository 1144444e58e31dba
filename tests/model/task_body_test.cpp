// SPDX-License-Identifier: MIT
#include "osiiso/task_body.hpp"

#include <functional>
#include <memory>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace osiiso {
namespace {

static_assert(std::is_nothrow_copy_constructible_v<TaskBody>);
static_assert(std::is_nothrow_move_assignable_v<TaskBody>);

TEST_CASE("what is captured lives as long as the last copy of the body, and no longer") {
  const auto captured = std::make_shared<int>(1);
  {
    TaskBody first([captured] {});
    CHECK(captured.use_count() == 2);
    TaskBody second(first);
    const TaskBody third(std::move(first));
    CHECK_FALSE(first);  // NOLINT(bugprone-use-after-move): that it is empty is promised
    CHECK(captured.use_count() == 2);

    second = third;
    second = TaskBody([] {});
    CHECK(captured.use_count() == 2);
    second = third;
    const auto& same = second;
    second = same;
    CHECK(captured.use_count() == 2);
    first = third;
    { const TaskBody moved(std::exchange(second, {})); }
    CHECK(first);
    CHECK(captured.use_count() == 2);
  }
  CHECK(captured.use_count() == 1);
}

TEST_CASE("a body that is assigned to lets go of what it held") {
  const auto captured = std::make_shared<int>(1);
  TaskBody body([captured] {});
  body = TaskBody([] {});
  CHECK(captured.use_count() == 1);
}

TEST_CASE("copies that are made and dropped by several threads leave one alive") {
  const auto captured = std::make_shared<int>(1);
  {
    const TaskBody body([captured] {});
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&body] {
        for (int copy = 0; copy < 1'000'000; ++copy) const TaskBody another(body);
      });
    }
    threads.clear();
    CHECK(captured.use_count() == 2);
  }
  CHECK(captured.use_count() == 1);
}

TEST_CASE("a body without captures is one for all") {
  const auto seven = [] { return 7; };
  using Seven = std::remove_const_t<decltype(seven)>;
  { const TaskBody dropped(seven); }
  const TaskBody kept(seven);
  REQUIRE(kept.target<Seven>() != nullptr);
  CHECK(kept.target<Seven>() == TaskBody(seven).target<Seven>());
  CHECK(kept.command() == nullptr);
  CHECK_FALSE(kept.is_single_use());
}

TEST_CASE("what cannot be called makes an empty body") {
  using Function = void (*)();
  CHECK_FALSE(TaskBody());
  CHECK_FALSE(TaskBody(Function{nullptr}));
  CHECK_FALSE(TaskBody(std::function<void()>()));
  CHECK(TaskBody().command() == nullptr);
}

TEST_CASE("a command is found in a body, a function is not") {
  const TaskBody body(Command::argv({"true"}));
  REQUIRE(body.command() != nullptr);
  CHECK(body.command()->words() == std::vector<std::string>{"true"});
  CHECK(body.target<Command>() == body.command());
  CHECK(TaskBody([] {}).target<Command>() == nullptr);
}

}  // namespace
}  // namespace osiiso
