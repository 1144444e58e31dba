// SPDX-License-Identifier: MIT
#include <atomic>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "osiiso/async_queue.hpp"
#include "osiiso/checkpoint.hpp"
#include "osiiso/thread_queue.hpp"

#include "support/program.hpp"

using namespace osiiso;
using osiiso::test::TemporaryFolder;

namespace {

/// A checkpoint's file for as long as the test lasts.
struct File {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/c";
};

}  // namespace

TEST_CASE("CHK-2: map runs what is new, wherever in the list it stands") {
  const File file;
  std::vector<int> ran;
  const auto run = [&](const std::vector<int>& items) {
    Checkpoint checkpoint(file.path);
    ThreadQueue queue({.workers = 1});
    const auto square = [&](int value) {
      ran.push_back(value);
      return value * value;
    };
    const auto handles = queue.map(square, items, checkpoint.in("square"));
    CHECK(queue.run().ok());
    std::vector<int> values;
    for (const auto& handle : handles) values.push_back(handle.value());
    return values;
  };
  CHECK(run({1, 2, 3}) == std::vector<int>{1, 4, 9});
  CHECK(run({5, 3, 2, 1, 4}) == std::vector<int>{25, 9, 4, 1, 16});
  CHECK(ran == std::vector<int>{1, 2, 3, 5, 4});
}

TEST_CASE("CHK-2: namespaces and ways of passing keep values apart") {
  const File file;
  Checkpoint checkpoint(file.path);
  std::atomic<int> calls = 0;
  const auto run = [&](const auto& function, const auto& items, const std::string& name_space) {
    ThreadQueue queue({.workers = 2});
    const auto group = queue.group(function, items, checkpoint.in(name_space));
    queue.run();
    return group.values();
  };
  const auto one = [&](const std::vector<int>& values) { return ++calls, values.size(); };
  const auto two = [&](int a, int b) {
    ++calls;
    return static_cast<std::size_t>(a + b);
  };
  CHECK(run(one, std::vector<std::vector<int>>{{3, 4}}, "a")[0] == 2);
  CHECK(run(two, std::vector<std::tuple<int, int>>{{3, 4}}, "a")[0] == 7);
  CHECK(run(two, std::vector<std::tuple<int, int>>{{3, 4}}, "b")[0] == 7);
  CHECK(calls == 3);
  CHECK(run(two, std::vector<std::tuple<int, int>>{{3, 4}}, "b")[0] == 7);
  CHECK(calls == 3);
}

TEST_CASE("CHK-2: a key function says which calls are the same") {
  const File file;
  Checkpoint checkpoint(file.path);
  int calls = 0;
  const auto fetch = [&](const std::string& url) { return ++calls, url; };
  const auto without_query = [](const std::string& url) { return url.substr(0, url.find('?')); };
  for (const std::string url : {"a?1", "a?2", "b"}) {
    ThreadQueue queue({.workers = 1});
    queue.map({.name = "fetch"}, fetch, std::vector{url}, checkpoint.in("fetch", without_query));
    queue.run();
  }
  CHECK(calls == 2);
  CHECK(checkpoint.standing("fetch", "a", "fetch") == Checkpoint::Standing::done);
}

TEST_CASE("CHK-1: what failed runs again, until it succeeds") {
  const File file;
  Checkpoint checkpoint(file.path);
  int calls = 0;
  const auto third_time = [&](int) {
    if (++calls < 3) throw Error("not yet");
  };
  for (int run = 0; run < 5; ++run) {
    ThreadQueue queue({.workers = 1});
    queue.map(third_time, std::vector{1}, checkpoint.in("third time"));
    CHECK(queue.run().ok() == (run >= 2));
  }
  CHECK(calls == 3);
}

/// A value that cannot be copied.
struct Text {
  std::unique_ptr<std::string> text;
};

void to_json(nlohmann::json& json, const Text& value) {
  json = *value.text;
}
void from_json(const nlohmann::json& json, Text& value) {
  value.text = std::make_unique<std::string>(json.get<std::string>());
}

TEST_CASE("CHK-3: a group has the values of its restored members, copyable or not") {
  const File file;
  Checkpoint checkpoint(file.path);
  const auto make = [](int value) {
    return Text{std::make_unique<std::string>(std::to_string(value))};
  };
  for (int run = 0; run < 2; ++run) {
    ThreadQueue queue({.workers = 1});
    const auto group = queue.group(make, std::vector{1, 2}, checkpoint.in("text"));
    const auto summary = queue.run();
    CHECK(summary.restored.size() == (run == 0 ? 0 : 2));
    const auto values = group.values();
    REQUIRE(values.size() == 2);
    CHECK(*values[1]->text == "2");
    CHECK(group.wait().total_submitted == 2);
  }
}

TEST_CASE("CHK-3: coroutines of an AsyncQueue are recorded and restored") {
  const File file;
  Checkpoint checkpoint(file.path);
  int calls = 0;
  const auto twice = [&](int value) -> asio::awaitable<int> {
    ++calls;
    co_return 2 * value;
  };
  for (int run = 0; run < 2; ++run) {
    AsyncQueue queue({.workers = 2});
    const auto group = queue.group(twice, std::vector{1, 2, 3}, checkpoint.in("twice"));
    const auto summary = osiiso::run(queue.run());
    CHECK(summary.total_submitted == (run == 0 ? 3 : 0));
    CHECK(group.values() == std::vector<int>{2, 4, 6});
  }
  CHECK(calls == 3);
}

TEST_CASE("CHK-3: restored tasks take no room in a bounded AsyncQueue") {
  const File file;
  Checkpoint checkpoint(file.path);
  const auto same = [](int value) { return value; };
  for (const std::vector<int>& items : {std::vector{1, 2}, std::vector{1, 2, 3, 4}}) {
    AsyncQueue queue({.workers = 1, .size = 2});
    const auto group = queue.group(same, items, checkpoint.in("same"));
    osiiso::run(queue.run());
    CHECK(group.values() == items);
  }
}
