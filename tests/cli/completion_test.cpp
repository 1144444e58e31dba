// SPDX-License-Identifier: MIT
#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "cli/osiiso.hpp"
#include "support/tools.hpp"

using osiiso::test::has_tool;
using osiiso::test::run_osiiso;
using osiiso::test::TemporaryFolder;

namespace {

using Lines = std::vector<std::string>;

Lines lines(const std::string& text) {
  Lines found;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) found.push_back(line);
  return found;
}

/// What is offered for the last of these words, each without its meaning.
Lines offered(std::vector<std::string> words) {
  words.insert(words.begin(), {"__complete", std::to_string(words.size() - 1)});
  const auto ended = run_osiiso(words);
  CHECK(ended.exit_code == 0);
  CHECK(ended.err.empty());
  Lines found = lines(ended.out);
  for (auto& line : found) line = line.substr(0, line.find('\t'));
  return found;
}

/// What a script of this shell says that can use our completions, named by $1, and our program.
Lines said_by(const std::vector<std::string>& shell, const std::string& script,
              const std::string& completions, const std::string& folder) {
  osiiso::test::Invocation invocation;
  invocation.arguments = shell;
  invocation.arguments.insert(invocation.arguments.end(),
                              {script, OSIISO_COMPLETIONS "/" + completions});
  const auto program = std::filesystem::path(OSIISO_PROGRAM).parent_path().string();
  invocation.env = {{"PATH", program + ":/usr/bin:/bin"}, {"HOME", folder}};
  invocation.folder = folder;
  const auto ended = osiiso::test::run_program(invocation);
  CHECK(ended.err == "");
  return lines(ended.out);
}

const char* const kJob = R"(
tasks: [{name: fetch all, command: ./a}, {name: 'x[1]*', command: ./b}, {name: '$(touch hit)', command: ./c}]
groups:
  api: [./d]
  a b: [./e]
  web: {command: 'echo {}', inputs_from: {command: [touch, hit]}}
)";

}  // namespace

TEST_CASE("commands, options and the words of options are completed") {
  CHECK(offered({"ch"}) == Lines{"words", "check"});
  CHECK(offered({"run", "--fail-p"}) == Lines{"words", "--fail-policy"});
  CHECK(offered({"run", "--queue", ""}) == Lines{"words", "async", "process", "thread"});
  CHECK(offered({"run", "--queue=th"}) == Lines{"words", "--queue=thread"});
  CHECK(offered({"run", "x.yaml", "--fail-policy", "c"}) == Lines{"words", "continue"});
  CHECK(offered({"run", "--report", "ht"}) == Lines{"words", "html="});
  CHECK(offered({"run", "--retries", ""}) == Lines{"words"});
  CHECK(offered({"nonsense", ""}) == Lines{"words"});
  CHECK(offered({"schema", ""}) == Lines{"words", "events", "job"});
}

TEST_CASE("files are asked for where an option or the command takes one") {
  CHECK(offered({"run", ""}) == Lines{"files"});
  CHECK(offered({"run", "--checkpoint", "a"}) == Lines{"files"});
  CHECK(offered({"run", "--checkpoint=a"}) == Lines{"files"});
  CHECK(offered({"run", "--events", "a"}) == Lines{"files"});
  CHECK(offered({"run", "--report", "html=a"}) == Lines{"files"});
  CHECK(offered({"run", "--json", "a"}) == Lines{"files"});
  CHECK(offered({"run", "--", "--q"}) == Lines{"files"});
  CHECK(offered({"map", "-j", "2", "-0", "gzip", "--que"}) == Lines{"files"});
  CHECK(offered({"map", "--", "--que"}) == Lines{"files"});
  CHECK(offered({"map", "-j", "2", "--que"}) == Lines{"words", "--queue"});
  CHECK(offered({"map", "-a", ""}) == Lines{"files"});
}

TEST_CASE("every option that the help shows is completed, with its meaning") {
  for (const std::string command : {"run", "map", "check", "plan", "report", "schema"}) {
    CAPTURE(command);
    const auto listed = offered({command, "-"});
    const std::set<std::string> known(listed.begin(), listed.end());
    std::istringstream help(run_osiiso({command, "--help"}).out);
    std::size_t count = 0;
    for (std::string line; std::getline(help, line);) {
      if (!line.starts_with("  -")) continue;
      std::istringstream names(line.substr(0, line.find(' ', 2)));
      for (std::string name; std::getline(names, name, ',');) {
        name.erase(0, name.find_first_not_of(' '));
        CAPTURE(name);
        CHECK(known.contains(name));
        ++count;
      }
    }
    CHECK(count + 1 == listed.size());
  }
  CHECK(run_osiiso({"__complete", "1", "run", "--json"}).out ==
        "words\n--json\tprint the summary as JSON\n");
}

TEST_CASE("groups and tasks of the job files are completed, wherever these stand, and none runs") {
  const TemporaryFolder folder;
  const auto job = folder.write("job.yaml", kJob);
  CHECK(offered({"run", job, "-g", "a"}) == Lines{"words", "a b", "api"});
  CHECK(offered({"run", job, "--group=w"}) == Lines{"words", "--group=web"});
  CHECK(offered({"plan", job, "-t", "f"}) == Lines{"words", "fetch all"});
  CHECK(offered({"plan", job, "-t", "x"}) == Lines{"words", "x\\[1]\\*"});
  CHECK(run_osiiso({"__complete", "2", "run", "-g", "ap", job}).out == "words\napi\n");
  CHECK(offered({"run", "/no/such/file", "/tmp", "-", "-g", ""}) == Lines{"words"});
  CHECK(offered({"run", folder.write("bad.yaml", "tasks: {"), "-g", ""}) == Lines{"words"});
  CHECK_FALSE(std::filesystem::exists(folder.path() + "/hit"));
  CHECK_FALSE(std::filesystem::exists("hit"));
}

TEST_CASE("bash offers what the program does, and a name never becomes a command") {
  if (!has_tool("bash")) return;
  const TemporaryFolder folder;
  folder.write("my job.yaml", kJob);
  const auto bash = [&](const std::string& words, int index) {
    return said_by({"bash", "--norc", "-c"},
                   "source $0; COMP_WORDS=(osiiso " + words + "); COMP_CWORD=" +
                       std::to_string(index) + "; _osiiso; printf '%s\\n' \"${COMPREPLY[@]}\"",
                   "osiiso.bash", folder.path());
  };
  CHECK(bash("pl", 1) == Lines{"plan"});
  CHECK(bash("run --queue th", 3) == Lines{"thread"});
  CHECK(bash("run --queue = th", 4) == Lines{"thread"});
  CHECK(bash("run --queue =", 3) == Lines{"async", "process", "thread"});
  CHECK(bash("run --report ju", 3) == Lines{"junit="});
  CHECK(bash("run 'my\\ job.yaml' -g a", 4) == Lines{"a\\ b", "api"});
  CHECK(bash("run '~/my\\ job.yaml' -g ap", 4) == Lines{"api"});
  CHECK(bash(R"(run "'my job.yaml'" -t "'fetch")", 4) == Lines{"fetch all"});
  CHECK(bash("run -t '' 'my\\ job.yaml'", 3) ==
        Lines{"\\$\\(touch\\ hit\\)", "./d", "./e", "fetch\\ all", R"(x\\\[1\]\\\*)"});
  CHECK(bash("run 'm'", 2) == Lines{""});
  CHECK_FALSE(std::filesystem::exists(folder.path() + "/hit"));
}

TEST_CASE("fish offers what the program does") {
  if (!has_tool("fish")) return;
  const TemporaryFolder folder;
  folder.write("my job.yaml", kJob);
  const auto fish = [&](const std::string& line) {
    auto found =
        said_by({"fish", "--no-config", "-c"}, "source $argv[1]; complete -C \"" + line + "\"",
                "osiiso.fish", folder.path());
    for (auto& candidate : found) candidate = candidate.substr(0, candidate.find('\t'));
    return found;
  };
  CHECK(fish("osiiso pl") == Lines{"plan"});
  CHECK(fish("osiiso run --queue th") == Lines{"thread"});
  CHECK(fish("osiiso run --fail-p") == Lines{"--fail-policy"});
  CHECK(fish("osiiso run my\\\\ job.yaml -g a") == Lines{"a b", "api"});
  CHECK(fish("osiiso run my") == Lines{"my job.yaml"});
  CHECK_FALSE(std::filesystem::exists(folder.path() + "/hit"));
}

TEST_CASE("zsh offers what the program does") {
  if (!has_tool("zsh")) return;
  const TemporaryFolder folder;
  folder.write("my job.yaml", kJob);
  const auto zsh = [&](const std::string& words, int current) {
    // Its own completion functions need a terminal; these show what they are given.
    return said_by(
        {"zsh", "-fc"},
        "_describe() { print -rl -- ${(P)4} }; _files() { print files $* }; compset() { : }; "
        "words=(osiiso " +
            words + "); CURRENT=" + std::to_string(current) +
            "; completions=$0; load() { source $completions }; load",
        "_osiiso", folder.path());
  };
  CHECK(zsh("pl", 2) == Lines{"plan"});
  CHECK(zsh("run --queue=th", 3) == Lines{"--queue=thread"});
  CHECK(zsh("run --jso", 3) == Lines{"--json:print the summary as JSON"});
  CHECK(zsh("run 'my\\ job.yaml' -g a", 5) == Lines{"a b", "api"});
  CHECK(zsh("run -t x 'my\\ job.yaml'", 4) == Lines{R"(x\\[1]\\*)"});
  CHECK(zsh("run --checkpoint ''", 4) == Lines{"files"});
}
