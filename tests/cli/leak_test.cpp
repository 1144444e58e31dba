// SPDX-License-Identifier: MIT
// What tasks leave behind, as the program tells of it and ends it.
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "cli/osiiso.hpp"

using nlohmann::json;
using osiiso::test::count_processes;
using osiiso::test::Ended;
using osiiso::test::Invocation;
using osiiso::test::osiiso_with;

namespace {

Ended run_as_owner(const std::string& job, std::vector<std::string> options = {}) {
  options.insert(options.begin(), {"run", "-"});
  Invocation invocation = osiiso_with(std::move(options), job);
  invocation.arguments.insert(invocation.arguments.begin(), OSIISO_CHILDREN "/own_orphans");
  return osiiso::test::run_program(invocation);
}

// A process of its own session, and the wait until it is what it will be.
const std::string kEscape =
    R"((setsid sh -c 'echo $$; exec sleep 86513 >&- 2>&-' &) | { read pid; )"
    R"(while [ -e /proc/$pid ] && ! grep -q ^sleep /proc/$pid/cmdline; do :; done; })";

}  // namespace

TEST_CASE("what tasks leave behind is in the JSON and on stderr, and is gone") {
  for (const char* queue : {"thread", "process", "async"}) {
    CAPTURE(queue);
    const auto ended = run_as_owner(
        "tasks: [{name: leaky, command: \"" + kEscape + "\"}, {name: tidy, command: 'true'}]",
        {"--json", "--queue", queue});
    CHECK(ended.exit_code == 0);
    const auto summary = json::parse(ended.out);
    CHECK(summary["leaked"] == 1);
    const auto& leaked = summary["results"][0]["leaked"];
    REQUIRE(leaked.size() == 1);
    CHECK(leaked[0]["pid"].get<int>() > 0);
    CHECK(leaked[0]["command"].get<std::string>().find("sleep 86513") != std::string::npos);
    CHECK(leaked[0]["age"].get<double>() >= 0);
    CHECK(summary["results"][1]["leaked"].empty());
    CHECK(ended.err.starts_with("osiiso: task 'leaky' left 1 process behind: "));
    CHECK(ended.err.find("tidy") == std::string::npos);
    CHECK(count_processes("86513") == 0);
  }
}

TEST_CASE("what a leaked process calls itself cannot drive the terminal") {
  const auto ended = run_as_owner(
      R"(tasks: ["(exec bash -c 'exec -a \"$0\" sleep 1000' \"$(printf '\\033[31mred')\") & until grep -q '^.\\[31m' /proc/$!/cmdline; do :; done"])");
  CHECK(ended.err.find("left 1 process behind") != std::string::npos);
  CHECK(ended.err.find('\x1b') == std::string::npos);
}

TEST_CASE("of many leaked processes the first ones are named") {
  const auto ended = run_as_owner("tasks: ['" OSIISO_CHILDREN "/leave_behind 7']");
  CHECK(ended.err.find("left 7 processes behind: ") != std::string::npos);
  CHECK(ended.err.find(", … and 2 more\n") != std::string::npos);
}

TEST_CASE("what is kept is no leak, and is gone when the run is over") {
  for (const char* queue : {"thread", "process", "async"}) {
    CAPTURE(queue);
    const auto ended = run_as_owner(
        "groups: {g: {tasks: [{name: server, leak: keep, command: \"" + kEscape +
            "\"}, {name: user, needs: [server], command: \"pgrep -f 'sleep 8651[3]'\"}]}}",
        {"--json", "--queue", queue});
    CHECK(ended.exit_code == 0);
    CHECK(json::parse(ended.out)["leaked"] == 0);
    CHECK(ended.err.empty());
    CHECK(count_processes("86513") == 0);
  }
}

TEST_CASE("what no task can be named for is counted, told of, and gone when the run is over") {
  for (const char* queue : {"thread", "process", "async"}) {
    CAPTURE(queue);
    const auto ended = run_as_owner("tasks: [\"export OSIISO_MARK=other; " + kEscape + "\"]",
                                    {"--json", "--queue", queue});
    CHECK(ended.exit_code == 0);
    const auto summary = json::parse(ended.out);
    CHECK(summary["leaked"] == 1);
    CHECK(summary["results"][0]["leaked"].empty());
    CHECK(ended.err.starts_with("osiiso: a task left 1 process behind: "));
    CHECK(count_processes("86513") == 0);
  }
}
