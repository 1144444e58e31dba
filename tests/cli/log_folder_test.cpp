// SPDX-License-Identifier: MIT
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "cli/osiiso.hpp"

namespace fs = std::filesystem;
using nlohmann::json;
using osiiso::test::Ended;
using osiiso::test::kSanitizerKib;
using osiiso::test::read_file;
using osiiso::test::run_osiiso;
using osiiso::test::run_program;
using osiiso::test::TemporaryFolder;

namespace {

const std::vector<std::string> kQueues = {"thread", "process", "async"};

Ended run_logged(const std::string& folder, const std::string& job,
                 const std::string& queue = "thread") {
  return run_osiiso({"run", "-", "--queue", queue, "--log-dir", folder}, job);
}

}  // namespace

TEST_CASE("--log-dir keeps every attempt's streams, byte for byte") {
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    const TemporaryFolder folder;
    const auto logs = folder.path() + "/logs";
    const auto ended = run_logged(
        logs,
        "tasks:\n"
        "  - {name: big, command: 'seq 200000'}\n"
        "  - {name: again, command: 'printf \"\\\\000\\\\377$OSIISO_ATTEMPT\" >&2; exit 1', "
        "retries: 1}\n"
        "  - {name: silent, command: 'true'}\n",
        queue);
    CHECK(ended.exit_code == 1);
    CHECK(read_file(logs + "/big/1/stdout") == run_program({.arguments = {"seq", "200000"}}).out);
    CHECK(read_file(logs + "/again/1/stderr") == std::string("\0\377", 2) + "1");
    CHECK(read_file(logs + "/again/2/stderr") == std::string("\0\377", 2) + "2");
    CHECK(fs::file_size(logs + "/silent/1/stdout") == 0);
    const auto index = json::parse(read_file(logs + "/index.json"));
    CHECK(index["schema"] == 1);
    CHECK(index["tasks"].size() == 3);
    CHECK(index["tasks"][1]["folder"] == "again");
    CHECK(index["tasks"][1]["status"] == "failed");
    CHECK(index["tasks"][1]["attempts"] == 2);
  }
}

TEST_CASE("no name of a task leads out of the folder, or to another task's") {
  const TemporaryFolder folder;
  const auto logs = folder.path() + "/a/logs";
  fs::create_directory(folder.path() + "/a");
  const std::string longest(300, 'x');
  const auto ended = run_logged(logs,
                                "tasks:\n"
                                "  - {name: '../../out', command: echo 1}\n"
                                "  - {name: '..', command: echo 2}\n"
                                "  - {name: '$(reboot) * ~x', command: echo 3}\n"
                                "  - {name: same, command: echo 4}\n"
                                "  - {name: same, command: echo 5}\n"
                                "  - {name: index.json, command: echo 6}\n"
                                "  - {name: '" +
                                    longest +
                                    "1', command: echo 7}\n"
                                    "  - {name: '" +
                                    longest +
                                    "2', command: echo 8}\n"
                                    "  - {name: Grüße, command: echo 9}\n");
  CHECK(ended.exit_code == 0);
  const auto index = json::parse(read_file(logs + "/index.json"));
  for (int i = 0; i < 9; ++i) {
    const std::string name = index["tasks"][static_cast<std::size_t>(i)]["folder"];
    CAPTURE(name);
    CHECK(name.find('/') == std::string::npos);
    CHECK(name.front() != '.');
    CHECK(name.size() <= 110);
    CHECK(read_file(logs + "/" + name + "/1/stdout") == std::to_string(i + 1) + "\n");
  }
  CHECK(index["tasks"][4]["folder"] == "same~2");
  CHECK(index["tasks"][8]["folder"] == "Grüße");
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
  CHECK(std::distance(fs::directory_iterator(folder.path() + "/a"), {}) == 1);
}

TEST_CASE("what an earlier run logged is replaced, and no link is followed") {
  const TemporaryFolder folder;
  const auto logs = folder.path() + "/logs";
  const auto treasure = folder.write("treasure", "gold");
  run_logged(logs, "tasks: [{name: a, command: 'echo old; exit 1', retries: 2}]");
  CHECK(fs::exists(logs + "/a/3"));
  fs::remove(logs + "/a/1/stdout");
  fs::create_symlink(treasure, logs + "/a/1/stdout");
  CHECK(run_logged(logs, "tasks: [{name: a, command: echo new}]").exit_code == 0);
  CHECK(read_file(logs + "/a/1/stdout") == "new\n");
  CHECK(read_file(treasure) == "gold");
  CHECK_FALSE(fs::exists(logs + "/a/2"));
  CHECK_FALSE(fs::exists(logs + "/a/3"));

  fs::remove_all(logs + "/a");
  fs::create_directory_symlink(folder.path(), logs + "/a");
  const auto ended = run_logged(logs, "tasks: [{name: a, command: echo new}]");
  CHECK(ended.exit_code == 74);
  CHECK_FALSE(fs::exists(folder.path() + "/1"));
}

TEST_CASE("the files of --log-dir are as the umask says") {
  const TemporaryFolder folder;
  const auto logs = folder.path() + "/logs";
  run_program(
      {.arguments = {"sh", "-c",
                     std::string("umask 077; ") + OSIISO_PROGRAM + " run - --log-dir " + logs},
       .input = "tasks: [{name: a, command: 'true'}]"});
  struct stat status {};
  REQUIRE(::stat((logs + "/a/1/stdout").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  REQUIRE(::stat((logs + "/a").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
}

TEST_CASE("a log that cannot be written is told, the run goes on, and the exit code is 74") {
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    const TemporaryFolder folder;
    // A file that may not grow further stands for a full disk.
    const auto ended = run_program(
        {.arguments = {"sh", "-c",
                       "ulimit -f 64; " + std::string(OSIISO_PROGRAM) + " run - --queue " + queue +
                           " --log-dir " + folder.path() + "/logs"},
         .input = "tasks: [{name: big, command: 'seq 200000'}, {name: b, command: echo b}]"});
    CHECK(ended.exit_code == 74);
    CHECK(ended.err.find("/logs/big/1/stdout: File too large; the run goes on") !=
          std::string::npos);
    CHECK(ended.err.find("the run itself ended: PASSED") != std::string::npos);
    CHECK(ended.out.find("Succeeded   : 2") != std::string::npos);
    CHECK(read_file(folder.path() + "/logs/b/1/stdout") == "b\n");
  }
}

TEST_CASE("a log folder that cannot be made starts nothing") {
  const TemporaryFolder folder;
  const auto ended =
      run_logged(folder.path() + "/missing/logs", "tasks: ['touch " + folder.path() + "/started']");
  CHECK(ended.exit_code == 2);
  CHECK(ended.err.find("--log-dir: cannot create") != std::string::npos);
  CHECK_FALSE(fs::exists(folder.path() + "/started"));
}

TEST_CASE("output without end is logged in bounded memory") {
  for (const auto& queue : kQueues) {
    CAPTURE(queue);
    const TemporaryFolder folder;
    const auto ended =
        run_logged(folder.path(), "tasks: [{name: y, command: yes | head -c 300000000}]", queue);
    CHECK(ended.exit_code == 0);
    CHECK(fs::file_size(folder.path() + "/y/1/stdout") == 300'000'000);
    CHECK(ended.max_rss_kib < 64 * 1024 + kSanitizerKib);
  }
}
