// SPDX-License-Identifier: MIT
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "cli/osiiso.hpp"

using nlohmann::json;
using osiiso::test::run_osiiso;

namespace {

const std::string kJob = R"(
tasks:
  - {name: last, command: echo last, priority: 9}
  - {name: needy, command: echo needy, needs: [site]}
  - {name: first, command: echo first, priority: 0}
  - {name: later, command: echo later, priority: 0, delay: 1h}
groups:
  site:
    priority: 1
    tasks: [echo one, "echo two\necho lines"]
    finally: [echo cleaned]
finally: [echo end]
)";

}  // namespace

TEST_CASE("plan shows the order of starts, with group, priority, needs and expanded command") {
  const auto ended = run_osiiso({"plan", "-"}, kJob);
  CHECK(ended.exit_code == 0);
  CHECK(ended.err.empty());
  CHECK(ended.out ==
        " order  priority  group  task\n"
        "     1         0  -      first: echo first\n"
        "     2         1  site   echo one\n"
        "     3         1  site   echo two\\necho lines\n"
        "     4         1  site   echo cleaned  (finally)\n"
        "     5         3  -      needy: echo needy  (needs site)\n"
        "     6         9  -      last: echo last\n"
        "     7         0  -      later: echo later\n"
        "     8         3  -      echo end  (finally)\n");
}

TEST_CASE("plan --json and run --dry-run --json are the same, and start nothing") {
  const auto plan = run_osiiso({"plan", "-", "--json"}, kJob);
  CHECK(run_osiiso({"run", "-", "--dry-run", "--json"}, kJob).out == plan.out);
  const auto tasks = json::parse(plan.out)["tasks"];
  REQUIRE(tasks.size() == 8);
  CHECK(tasks[4] == json({{"order", 5},
                          {"name", "needy"},
                          {"group_id", nullptr},
                          {"priority", 3},
                          {"must_complete", false},
                          {"finally", false},
                          {"needs", {"site"}},
                          {"command", "echo needy"}}));
  CHECK(tasks[3]["finally"] == true);
  CHECK(tasks[3]["group_id"] == "site");
}

TEST_CASE("plan shows inputs filled in, quoted as a reader would type them") {
  const auto ended =
      run_osiiso({"plan", "-", "--json"},
                 "groups: {g: {command: 'wc -l {} > {/.}.txt', inputs: ['a b/c d.md']}}");
  CHECK(json::parse(ended.out)["tasks"][0]["command"] == "wc -l 'a b/c d.md' > 'c d'.txt");
}

TEST_CASE("check says nothing of a good file, and does not run the commands of inputs_from") {
  const osiiso::test::TemporaryFolder folder;
  const std::string marker = folder.path() + "/ran";
  const std::string job =
      "groups: {g: {command: 'echo {}', inputs_from: {command: [touch, " + marker + "]}}}";
  const auto ended = run_osiiso({"check", "-"}, job);
  CHECK(ended.exit_code == 0);
  CHECK(ended.out.empty());
  CHECK(ended.err.empty());
  CHECK(run_osiiso({"run", marker}).exit_code == 2);
  CHECK(run_osiiso({"plan", "-"}, job).exit_code == 4);
  CHECK(run_osiiso({"run", marker}).exit_code == 4);
}

TEST_CASE("check reports a broken file with exit code 2") {
  const auto ended = run_osiiso({"check", "-"}, "tasks: [{command: x, retrys: 2}]");
  CHECK(ended.exit_code == 2);
  CHECK(ended.err.find("did you mean 'retries'?") != std::string::npos);
}
