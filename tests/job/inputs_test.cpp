// SPDX-License-Identifier: MIT
#include "job/inputs.hpp"

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "osiiso/error.hpp"

#include "job/reading.hpp"
#include "support/files.hpp"

using namespace osiiso;
using job::Input;
using job::InputFormat;

namespace {

std::vector<Input> split(InputFormat format, const std::vector<std::string_view>& pieces) {
  std::vector<Input> inputs;
  job::InputSplitter splitter(format);
  for (const std::string_view piece : pieces) splitter.add(piece, inputs);
  splitter.finish(inputs);
  return inputs;
}

std::string joined(const std::vector<Input>& inputs) {
  std::string all;
  for (const Input& input : inputs) {
    all += '[';
    for (std::size_t i = 0; i < input.size(); ++i) {
      if (i > 0) all += ',';
      if (input.kind() == Input::Kind::mapping) {
        const std::string_view name = input.names()[i];
        all.append(name).append(":").append(*input.value(name));
      } else {
        all += *input.value(i);
      }
    }
    all += ']';
  }
  return all;
}

std::string refusal(InputFormat format, std::string_view text) {
  try {
    return joined(split(format, {text}));
  } catch (const Error& error) {
    return error.what();
  }
}

std::string output_of(std::vector<std::string> words, const std::string& folder = {}) {
  try {
    return joined(job::inputs_of_command(words, folder, InputFormat::lines));
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("lines, however they arrive; empty ones are left out") {
  CHECK(joined(split(InputFormat::lines, {"a\nb c\n\nd"})) == "[a][b c][d]");
  CHECK(joined(split(InputFormat::lines, {"a", "b\n", "", "c\nd", "e\n"})) == "[ab][c][de]");
  CHECK(joined(split(InputFormat::lines, {" a \r\n\xff\n"})) == "[ a \r][\xff]");
  CHECK(split(InputFormat::lines, {}).empty());
  CHECK(refusal(InputFormat::lines, std::string_view("a\nb\0\n", 5)) ==
        "line 2: an input must not hold a NUL byte");
}

TEST_CASE("NUL-ended inputs keep everything else") {
  CHECK(joined(split(InputFormat::nul, {std::string_view("a\nb\0\0c", 6)})) == "[a\nb][][c]");
}

TEST_CASE("a JSON value a line") {
  CHECK(
      joined(split(InputFormat::json,
                   {"\"a\"\n 1.10 \n\n[\"x\", 2, true, null]\n{\"k\": \"v\", \"n\": 1e3}\n[]"})) ==
      "[a][1.10][x,2,true,null][k:v,n:1e3][]");
  CHECK(refusal(InputFormat::json, "1\n[[1]]") ==
        "line 2: a value in it is a list or an object itself");
  CHECK(refusal(InputFormat::json, "{") == "line 1: it is not JSON");
  CHECK(refusal(InputFormat::json, "1 2") == "line 1: it is not JSON");
  CHECK(refusal(InputFormat::json, "{\"a\":1,\"a\":2}") == "line 1: the key 'a' is there twice");
  CHECK(refusal(InputFormat::json, std::string(100'000, '[')) ==
        "line 1: a value in it is a list or an object itself");
}

TEST_CASE("a command's output, with nothing of its failure lost") {
  CHECK(output_of({"printf", "a\\nb\\n"}) == "[a][b]");
  CHECK(output_of({"sh", "-c", "pwd"}, "/usr") == "[/usr]");
  CHECK(output_of({"cat"}).empty());
  CHECK(output_of({"sh", "-c", "echo a; echo first >&2; echo last >&2; exit 3"}) ==
        "'sh' failed: last");
  CHECK(output_of({"false"}) == "'false' failed: exit status 1");
  CHECK(output_of({"sh", "-c", "kill -9 $$"}) == "'sh' was killed by SIGKILL");
  CHECK(output_of({"/no/such"}) == "cannot run '/no/such': No such file or directory");
}

TEST_CASE("a command may print more than a pipe holds on both streams") {
  const auto inputs = job::inputs_of_command(
      {"sh", "-c",
       "i=0; while [ $i -lt 20000 ]; do echo line $i; echo error $i >&2; i=$((i+1)); done"},
      {}, InputFormat::lines);
  CHECK(inputs.size() == 20'000);
}

TEST_CASE("inputs_from reads a file beside the job file") {
  const test::TemporaryFolder folder;
  folder.write("list.txt", "a.jpg\nb c.jpg\n");
  const std::vector<job::Source> sources = {
      {"job.yaml",
       "groups:\n  g:\n    command: convert {} {.}-small{ext}\n    inputs_from: {file: list.txt}\n",
       folder.path()}};
  const job::Reading reading = job::read(sources, {}, {}, job::RunInputs::no);
  REQUIRE(reading.plan);
  CHECK(test::names_of(*reading.plan) ==
        std::vector<std::string>{"convert a.jpg a-small.jpg", "convert 'b c.jpg' 'b c'-small.jpg"});
}

TEST_CASE("check starts no process: the tasks of such a group are left out") {
  const std::vector<job::Source> sources = {
      {"job.yaml",
       "tasks: [./a]\n"
       "groups: {g: {command: 'echo {name}',\n"
       "  inputs_from: {command: [touch, /tmp/osiiso_must_not_be], format: json}}}\n",
       "/"}};
  const job::Reading reading = job::read(sources, {}, {}, job::RunInputs::no);
  REQUIRE(reading.plan);
  CHECK(reading.plan->batch.tasks().size() == 1);
  CHECK(reading.plan->batch.groups().size() == 1);
  CHECK(!std::filesystem::exists("/tmp/osiiso_must_not_be"));
}

TEST_CASE("a file with a mistake starts no command of inputs_from") {
  const test::TemporaryFolder folder;
  const auto touched = folder.file("touched");
  const auto starts = [&](const std::string& mistake, const job::Selection& selection) {
    const auto reading =
        test::read_text("groups: {g: {command: 'echo {}', inputs_from: {command: [touch, " +
                            touched + "]}}}\n" + mistake,
                        {}, selection);
    CHECK(!reading.plan);
    return std::filesystem::remove(touched);
  };
  CHECK(!starts("tasks: [{command: a, retires: 1}]", {}));
  CHECK(!starts("tasks: [{command: a, needs: [b]}]", {}));
  CHECK(!starts("queue: {mode: infinite}", {}));
  CHECK(!starts("name: x", {.group_globs = {"nobody"}, .task_globs = {}}));
}

TEST_CASE("a command of inputs_from runs where the tasks of its group do") {
  const job::Plan plan = test::plan_of(
      "groups: {g: {cwd: /usr, command: 'echo {}', inputs_from: {command: [pwd]}}}\n");
  CHECK(test::names_of(plan) == std::vector<std::string>{"echo /usr"});
}
