// SPDX-License-Identifier: MIT
#include "model/task_name.hpp"

#include <string>

#include <doctest/doctest.h>

namespace osiiso::model {
namespace {

TEST_CASE("a command is called by its text, a function a task") {
  CHECK(default_name(TaskBody(Command::shell("echo hello"))) == "echo hello");
  CHECK(default_name(TaskBody(Command::argv({"echo", "a b"}))) == "echo 'a b'");
  CHECK(default_name(TaskBody([] {})) == "task");
}

TEST_CASE("a name is one line") {
  CHECK(name_of_command("set -e\n  make all\r\n\tmake install\n") ==
        "set -e make all make install");
  CHECK(name_of_command("  x  ") == "x");
  CHECK(name_of_command("a\r\n\r\n b\r\n") == "a b");
}

TEST_CASE("a carriage return that ends no line stays in a name") {
  CHECK(default_name(TaskBody(Command::argv({"cat", "list\r"}))) == "cat 'list\r'");
}

TEST_CASE("a name is cut at 60 characters") {
  const std::string fits(60, 'x');
  CHECK(name_of_command(fits) == fits);
  CHECK(name_of_command(fits + "x") == std::string(59, 'x') + "…");
  CHECK(name_of_command(std::string(100'000, 'x')) == std::string(59, 'x') + "…");
  std::string words;
  for (int i = 0; i < 100'000; ++i) words += "ab ";
  CHECK(name_of_command(words) == std::string(words, 0, 59) + "…");
}

}  // namespace
}  // namespace osiiso::model
