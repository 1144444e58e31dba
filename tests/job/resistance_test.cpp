// SPDX-License-Identifier: MIT
// Files that nobody would write: they get a quick and clean answer, and harm nothing.
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "job/reading.hpp"

using namespace osiiso;
using test::brief;

namespace {

bool told(const std::string& text, std::string_view what) {
  const auto start = std::chrono::steady_clock::now();
  const bool found = brief(text).find(what) != std::string::npos;
  // Far more than it needs, also under a sanitizer on a busy machine.
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(60));
  return found;
}

std::string repeated(std::string_view piece, std::size_t times) {
  std::string text;
  text.reserve(piece.size() * times);
  for (std::size_t i = 0; i < times; ++i) text += piece;
  return text;
}

// What the program holds on its heap. A sanitizer's allocator does not count.
std::size_t heap_bytes() {
  const struct mallinfo2 usage = ::mallinfo2();
  return usage.uordblks + usage.hblkhd;
}

}  // namespace

TEST_CASE("nesting without end") {
  CHECK(told(std::string(1 << 20, '['), "nested deeper than 64 levels"));
  CHECK(told(std::string(1 << 20, '{'), "nested deeper than 64 levels"));
  CHECK(told(std::string(90'000, '['), "nested deeper than 64 levels"));
  CHECK(told(repeated("[\n", 1 << 19), "nested deeper than 64 levels"));
  CHECK(told(repeated("[a,", 10'000), "nested deeper than 64 levels"));
  CHECK(told(repeated("- ", 10'000), "nested deeper than 64 levels"));
  CHECK(told(repeated("? ", 10'000), "nested deeper than 64 levels"));
  CHECK(told("tasks: " + repeated("{a: ", 10'000), "nested deeper than 64 levels"));
  CHECK(told("x-a: " + std::string(5000, '['), "nested deeper than 64 levels"));
  std::string block;
  for (std::size_t i = 0; i < 200; ++i) block += std::string(i, ' ') + "a:\n";
  CHECK(told(block, "nested deeper than 64 levels"));
}

TEST_CASE("brackets in texts are no nesting") {
  CHECK(brief("tasks:\n" + repeated("  - test -n \"$x\" && [ [\n", 50'000)).empty());
  CHECK(brief("tasks:\n  - |\n    " + std::string(50'000, '[') + "\n").empty());
}

TEST_CASE("lines without end") {
  CHECK(told(std::string(std::size_t{100} << 20, 'x'), "a line is longer than 16 MiB"));
  CHECK(told("tasks: [" + repeated("a,", std::size_t{50} << 20) + "]",
             "a line is longer than 16 MiB"));
}

TEST_CASE("a long line of many tasks is read") {
  const std::string text = "tasks: [" + repeated("'echo hello',", 100'000) + "]";
  CHECK(test::plan_of(text).batch.tasks().size() == 100'000);
}

TEST_CASE("bytes that are no text") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 200; ++i) {
    std::string bytes;
    for (std::size_t left = random() % 2000; left > 0; --left) {
      bytes += static_cast<char>(random() % 256);
    }
    const job::Reading reading = test::read_text(bytes);
    CHECK(reading.plan.has_value() == reading.diagnostics.empty());
  }
  CHECK(told(std::string(1 << 20, '\0'), "control character U+0000"));
  CHECK(told("\xff\xfet\0a\0", "not UTF-8"));
  CHECK(told("tasks: [\xed\xa0\x80]", "not UTF-8"));
}

TEST_CASE("mutated job files are read or refused, and never more than that") {
  const std::string sample = R"yaml(version: 1
name: nightly
queue: {kind: thread, workers: 4, timeout: 30m, rate: 10, burst: 3}
env: &env {LANG: C, A: null}
defaults: {retries: 1, timeout: 60s, metadata: {a: [1, 2.5, ~]}}
x-base: &base {retries: 2, env: *env}
tasks:
  - echo hello
  - [python3, -c, "print(1)"]
  - {<<: *base, name: fetch, command: curl, retry_delay: 250ms, needs: [pipeline]}
groups:
  pipeline: [./extract db, ./transform raw]
  site:
    needs: [pipeline]
    tasks:
      - {name: build, command: make site}
      - {name: check, command: ./linkcheck out, needs: [build]}
    finally: [rm -rf scratch]
  thumbnails:
    command: "convert {} '{.}' $(echo \"{/}\") <<E\n{ext}\nE\n"
    inputs: [a.jpg, "b c.jpg", 1]
finally:
  - |
    ./stop
)yaml";
  REQUIRE(brief(sample).empty());
  const std::vector<std::string> pieces = {"[",  "]",  "{",   "}",     ":",    "- ", "\n", "  ",
                                           "*a", "&a", "<<:", "*base", "null", "\"", "'",  "|",
                                           ",",  "#",  "\t",  "!!str", "---",  "?",  "é",  "{}"};
  std::mt19937_64 random(2);
  for (std::size_t i = 0; i < test::cases(1500); ++i) {
    std::string text = sample;
    for (std::size_t left = 1 + random() % 6; left > 0; --left) {
      const std::size_t at = random() % (text.size() + 1);
      switch (random() % 4) {
        case 0:
          text.insert(at, pieces[random() % pieces.size()]);
          break;
        case 1:
          text.erase(at, random() % 8);
          break;
        case 2:
          text.insert(at, text.substr(random() % text.size(), random() % 40));
          break;
        default:
          if (at < text.size()) text[at] = static_cast<char>(random() % 256);
          break;
      }
    }
    CAPTURE(text);
    const job::Reading reading = test::read_text(text);
    CHECK(reading.plan.has_value() == reading.diagnostics.empty());
    for (const job::Diagnostic& one : reading.diagnostics) {
      CHECK(!one.text.empty());
      CHECK(one.line <= 1 + static_cast<std::size_t>(std::ranges::count(text, '\n')));
      CHECK(!job::to_string(one).empty());
    }
  }
}

TEST_CASE("300,000 tasks are read as a stream and cost little but their text") {
  constexpr std::size_t kTasks = 300'000;
  std::string text = "tasks:\n";
  for (std::size_t i = 0; i < kTasks; ++i) {
    text += "  - ./transform raw/" + std::to_string(100'000 + i) + ".csv out\n";
  }
  const std::size_t before = heap_bytes();
  const auto start = std::chrono::steady_clock::now();
  const job::Plan plan = test::plan_of(text);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const std::size_t bytes = (heap_bytes() - before) / kTasks;
  CHECK(plan.batch.tasks().size() == kTasks);
  CHECK(took.count() < 60);
  // The room that the batch's vector has left is counted, too.
  CHECK(bytes < 450);
  MESSAGE(took.count(), " s, ", bytes, " bytes a task");
}

TEST_CASE("a million inputs are cheap") {
  std::string text = "groups:\n  g:\n    command: echo {} '{.}' \"{#}\"\n    inputs:\n";
  const std::size_t count = test::cases(1) > 1 ? 1'000'000 : 100'000;
  for (std::size_t i = 0; i < count; ++i) text += "      - file " + std::to_string(i) + ".jpg\n";
  const auto start = std::chrono::steady_clock::now();
  const job::Plan plan = test::plan_of(text);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  CHECK(plan.batch.tasks().size() == count);
  CHECK(took.count() < 120);
  MESSAGE(took.count(), " s");
}
