// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "osiiso/error.hpp"

#include "base/text.hpp"
#include "job/reading.hpp"
#include "support/files.hpp"

using namespace osiiso;

TEST_CASE("columns count characters, and the caret stands beneath wide ones") {
  CHECK(test::diagnostics_of("tasks: [日本, {bad: 1, command: é}]\n") ==
        "job.yaml:1:14: error: unknown key 'bad' in a task\n"
        "tasks: [日本, {bad: 1, command: é}]\n"
        "               ^\n");
}

TEST_CASE("what would drive a terminal is shown escaped") {
  const std::string told = test::diagnostics_of("tasks: [{\"\\e[31m\\u202e\": 1, command: x}]\n");
  CHECK(told.find('\x1b') == std::string::npos);
  CHECK(told.find("\\x1b[31m") != std::string::npos);
}

TEST_CASE("a long line is cut around the place") {
  for (const std::size_t front : std::to_array<std::size_t>({1, 10, 60, 200, 5000})) {
    for (const std::size_t back : std::to_array<std::size_t>({0, 10, 60, 200, 5000})) {
      const std::string text = "tasks: [{command: '" + std::string(front, 'a') +
                               "', bad: 1, env: {A: '" + std::string(back, 'b') + "'}}]\n";
      const auto diagnostics = test::read_text(text).diagnostics;
      REQUIRE(diagnostics.size() == 1);
      const job::Diagnostic& one = diagnostics.front();
      CHECK(one.column == 23 + front);
      CHECK(base::display_width(one.source_line) <= 100);
      const std::size_t place = one.source_line.find("bad");
      REQUIRE(place != std::string::npos);
      CHECK(base::display_width(one.source_line.substr(0, place)) == one.caret);
    }
  }
}

TEST_CASE("many diagnostics are bounded, in order, and counted") {
  std::string text = "tasks:\n";
  for (int i = 0; i < 20'000; ++i) text += "  - {bad: 1, command: a}\n";
  const auto diagnostics = test::read_text(text).diagnostics;
  REQUIRE(diagnostics.size() == 101);
  CHECK(diagnostics[0].line == 2);
  CHECK(diagnostics[99].line == 101);
  CHECK(job::to_string(diagnostics[100]) == "… and 19900 more");
}

TEST_CASE("the files are told one after the other") {
  const std::vector<job::Source> sources = {{"b.yaml", "bad: 1\n", "/"},
                                            {"a.yaml", "bad: 1\n", "/"}};
  const auto reading = job::read(sources, {}, {}, job::RunInputs::no);
  REQUIRE(reading.diagnostics.size() == 2);
  CHECK(reading.diagnostics[0].file == "b.yaml");
  CHECK(reading.diagnostics[1].file == "a.yaml");
}

TEST_CASE("a file is loaded with its folder; one that cannot be read is an error") {
  const test::TemporaryFolder folder;
  const auto file = folder.write("x.yaml", "tasks: [a]\n");
  const job::Source source = job::load(file);
  CHECK(source.name == file);
  CHECK(source.text == "tasks: [a]\n");
  CHECK(source.folder == folder.path());
  CHECK_THROWS_AS(job::load(folder.file("no.yaml")), SystemError);
  CHECK_THROWS_AS(job::load(folder.path()), SystemError);
}
