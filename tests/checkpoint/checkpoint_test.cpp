// SPDX-License-Identifier: MIT
#include "osiiso/checkpoint.hpp"

#include <any>
#include <limits>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include <doctest/doctest.h>

#include "support/program.hpp"

using osiiso::Checkpoint;
using osiiso::Status;
using osiiso::test::TemporaryFolder;

namespace {

template <typename T>
T restored(Checkpoint& checkpoint, const std::string& key) {
  const auto value = checkpoint.recorder<T>("space", key, "name")->restore();
  REQUIRE(value);
  return std::any_cast<T>(*value);
}

}  // namespace

TEST_CASE("CHK-1: successes are restored from the file, with values of any type that JSON knows") {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/c";
  {
    Checkpoint checkpoint(path);
    checkpoint.recorder<int>("space", "int", "name")->record_success(42);
    checkpoint.recorder<std::string>("space", "text", "name")
        ->record_success(std::string("a\0b", 3));
    checkpoint.recorder<std::vector<double>>("space", "list", "name")
        ->record_success(std::vector<double>{0.5, 1});
    checkpoint.recorder<void>("space", "nothing", "name")->record_success({});
  }
  Checkpoint checkpoint(path);
  CHECK(restored<int>(checkpoint, "int") == 42);
  CHECK(restored<std::string>(checkpoint, "text") == std::string("a\0b", 3));
  CHECK(restored<std::vector<double>>(checkpoint, "list") == std::vector<double>{0.5, 1});
  CHECK(checkpoint.recorder<void>("space", "nothing", "name")->restore());
  CHECK_FALSE(checkpoint.recorder<int>("space", "other", "name")->restore());
  CHECK_FALSE(checkpoint.recorder<int>("other", "int", "name")->restore());
  CHECK_FALSE(checkpoint.error());
}

TEST_CASE("CHK-1: what a command left is restored, bytes that are no text included") {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/c";
  osiiso::CommandOutput output;
  output.exit_code = 3;
  output.stdout_text = "\xff\xfe\n";
  output.stderr_bytes = 7;
  {
    Checkpoint checkpoint(path);
    checkpoint.recorder<osiiso::CommandOutput>("space", "c", "name")
        ->record_success(std::make_shared<const osiiso::CommandOutput>(output));
  }
  Checkpoint checkpoint(path);
  using OutputPtr = std::shared_ptr<const osiiso::CommandOutput>;
  const auto value = checkpoint.recorder<osiiso::CommandOutput>("space", "c", "name")->restore();
  REQUIRE(value);
  const auto kept = std::any_cast<OutputPtr>(*value);
  CHECK(kept->exit_code == 3);
  CHECK_FALSE(kept->signal);
  CHECK(kept->stdout_text == output.stdout_text);
  CHECK(kept->stderr_bytes == 7);
}

TEST_CASE("CHK-1: of what is said of a task, the last holds") {
  const TemporaryFolder folder;
  Checkpoint checkpoint(folder.path() + "/c");
  const auto task = checkpoint.recorder<int>("space", "key", "name");
  task->record_end(Status::failed);
  CHECK_FALSE(task->restore());
  task->record_success(1);
  CHECK(restored<int>(checkpoint, "key") == 1);
  task->record_end(Status::cancelled);
  checkpoint.flush();
  CHECK_FALSE(task->restore());
}

TEST_CASE("a checkpoint says of each task whether it would run, and why") {
  using Standing = Checkpoint::Standing;
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/c";
  {
    Checkpoint checkpoint(path);
    checkpoint.recorder<int>("space", "1", "a")->record_success(1);
    checkpoint.recorder<int>("space", "2", "b")->record_end(Status::failed);
    checkpoint.recorder<int>("space", "3", "c")->record_end(Status::cancelled);
  }
  const Checkpoint checkpoint(path, Checkpoint::Access::look);
  CHECK(checkpoint.standing("space", "1", "a") == Standing::done);
  CHECK(checkpoint.standing("space", "1", "another") == Standing::done);
  CHECK(checkpoint.standing("space", "2", "b") == Standing::failed_before);
  CHECK(checkpoint.standing("space", "3", "c") == Standing::cancelled_before);
  CHECK(checkpoint.standing("space", "4", "a") == Standing::changed);
  CHECK(checkpoint.standing("space", "4", "d") == Standing::is_new);
  CHECK(checkpoint.standing("other", "1", "a") == Standing::is_new);
}

TEST_CASE("a task that was renamed is known by its new name from then on") {
  const TemporaryFolder folder;
  Checkpoint checkpoint(folder.path() + "/c");
  checkpoint.recorder<int>("space", "1", "old")->record_success(1);
  CHECK(checkpoint.recorder<int>("space", "1", "new")->restore());
  checkpoint.flush();
  CHECK(checkpoint.standing("space", "2", "new") == Checkpoint::Standing::changed);
  CHECK(checkpoint.standing("space", "2", "old") == Checkpoint::Standing::is_new);
}

TEST_CASE("a value of another type is an error that says what to do, not a wrong value") {
  const TemporaryFolder folder;
  Checkpoint checkpoint(folder.path() + "/c");
  checkpoint.recorder<std::string>("space", "key", "name")->record_success(std::string("text"));
  CHECK_THROWS_WITH_AS(checkpoint.recorder<int>("space", "key", "name")->restore(),
                       doctest::Contains("another namespace keeps the two apart"),
                       osiiso::CheckpointError);
}

TEST_CASE("CHK-2: the way in which arguments are passed is a part of the key") {
  using osiiso::detail::argument_key;
  CHECK(argument_key(std::vector<int>{1, 2}) == R"({"single":[1,2]})");
  CHECK(argument_key(std::tuple(1, 2)) == R"({"spread":[1,2]})");
  CHECK(argument_key(1) != argument_key(std::tuple(1)));
  CHECK(argument_key(1) != argument_key(1.5));
  CHECK(argument_key(1) != argument_key("1"));
  CHECK(argument_key("text") == argument_key(std::string("text")));
  const auto object = nlohmann::json::parse(R"({"b": 1, "a": 2})");
  CHECK(argument_key(object) == R"({"single":{"a":2,"b":1}})");
}

TEST_CASE("CHK-2: arguments that JSON cannot tell apart are refused as keys") {
  using osiiso::detail::argument_key;
  CHECK_THROWS_AS(argument_key(std::numeric_limits<double>::quiet_NaN()), osiiso::OptionError);
  CHECK_THROWS_AS(argument_key(std::tuple(1, std::numeric_limits<double>::infinity())),
                  osiiso::OptionError);
  CHECK_THROWS_AS(argument_key(std::string("\xff")), osiiso::OptionError);
}

TEST_CASE("CHK-2: the namespace must be given") {
  const TemporaryFolder folder;
  Checkpoint checkpoint(folder.path() + "/c");
  CHECK_THROWS_AS(checkpoint.in(""), osiiso::OptionError);
  CHECK_THROWS_AS(checkpoint.recorder<int>("", "key", "name"), osiiso::OptionError);
}
