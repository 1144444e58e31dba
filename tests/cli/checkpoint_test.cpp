// SPDX-License-Identifier: MIT
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "cli/osiiso.hpp"
#include "support/process_guard.hpp"

namespace fs = std::filesystem;
using nlohmann::json;
using osiiso::test::eventually;
using osiiso::test::osiiso_with;
using osiiso::test::ProcessGuard;
using osiiso::test::read_file;
using osiiso::test::run_osiiso;
using osiiso::test::run_program;
using osiiso::test::RunningProgram;
using osiiso::test::TemporaryFolder;

namespace {

/// A folder with a checkpoint, and a log in which every task that runs writes its word.
class Folder {
 public:
  std::string checkpoint() const { return folder_.path() + "/done"; }
  const std::string& path() const { return folder_.path(); }
  const TemporaryFolder& folder() const { return folder_; }

  /// A command that writes the word.
  std::string note(const std::string& word) const { return "echo " + word + " >> " + log_path(); }

  /// A job of such commands.
  std::string job_of(const std::vector<std::string>& words) const {
    std::string job = "name: job\nqueue: {workers: 1}\ntasks:\n";
    for (const auto& word : words) job += "  - " + note(word) + "\n";
    return job;
  }

  osiiso::test::Ended run(const std::string& job, std::vector<std::string> options = {}) const {
    options.insert(options.begin(), {"run", "-", "--checkpoint", checkpoint()});
    return run_osiiso(std::move(options), job);
  }
  json run_json(const std::string& job, std::vector<std::string> options = {}) const {
    options.emplace_back("--json");
    return json::parse(run(job, std::move(options)).out);
  }
  /// For each task, in the order of starts, why it would run.
  std::vector<std::string> plan(const std::string& job) const {
    const auto ended = run_osiiso({"plan", "-", "--json", "--checkpoint", checkpoint()}, job);
    std::vector<std::string> why;
    const auto plan = json::parse(ended.out);
    for (const auto& task : plan["tasks"]) {
      CHECK(task["would_run"] == (task["why"] != "done"));
      why.push_back(task["why"]);
    }
    return why;
  }

  /// What ran since the last call.
  std::string ran() const {
    if (!fs::exists(log_path())) return {};
    std::istringstream log(read_file(log_path()));
    fs::remove(log_path());
    std::string all;
    for (std::string word; log >> word;) all += (all.empty() ? "" : " ") + word;
    return all;
  }

 private:
  std::string log_path() const { return folder_.path() + "/log"; }
  TemporaryFolder folder_;
};

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("CHK-2: a b c done, then x a b c d runs exactly x d") {
  const Folder folder;
  const auto first = folder.run(folder.job_of({"a", "b", "c"}));
  CHECK(first.exit_code == 0);
  CHECK(first.err.empty());
  CHECK(folder.ran() == "a b c");

  const auto job = folder.job_of({"x", "a", "b", "c", "d"});
  CHECK(folder.plan(job) == Words{"new", "done", "done", "done", "new"});
  const auto second = folder.run(job);
  CHECK(second.exit_code == 0);
  CHECK(second.err == "osiiso: restored 3 of 5 tasks from " + folder.checkpoint() + "\n");
  CHECK(second.out.find("Total tasks : 2\n") != std::string::npos);
  CHECK(folder.ran() == "x d");
  CHECK(fs::exists(folder.checkpoint()));
  CHECK_FALSE(fs::exists(folder.checkpoint() + "-wal"));
}

TEST_CASE("CHK-2: on every kind of queue, and from one to the other") {
  const Folder folder;
  std::string all = "a";
  Words words = {"a"};
  for (const char* kind : {"thread", "process", "async"}) {
    folder.run(folder.job_of(words), {"--queue", kind});
    CHECK(folder.ran() == words.back());
    words.push_back(std::string("after-") + kind);
  }
}

TEST_CASE("CHK-2: reordering runs nothing, nor does a new name or other options") {
  const Folder folder;
  folder.run(folder.job_of({"a", "b", "c"}));
  folder.ran();
  CHECK(folder.run(folder.job_of({"c", "a", "b"})).exit_code == 0);
  CHECK(folder.ran().empty());
  const std::string renamed =
      "name: job\ntasks: [{name: other, retries: 3, timeout: 9s, command: '" + folder.note("a") +
      "'}]";
  CHECK(folder.plan(renamed) == Words{"done"});
  CHECK(folder.run(renamed).exit_code == 0);
  CHECK(folder.ran().empty());
}

TEST_CASE("CHK-2: changing what makes a task what it is runs it again") {
  const Folder folder;
  const auto job = [&](const std::string& options) {
    return "name: job\ntasks: [{name: t, command: '" + folder.note("ran") + "'" + options + "}]";
  };
  folder.folder().write("input", "");
  std::vector<std::string> variants = {"",
                                       ", env: {A: '1'}",
                                       ", env: {A: '2'}",
                                       ", env: {A: null}",
                                       ", cwd: /",
                                       ", stdin: text",
                                       ", stdin: {file: " + folder.path() + "/input}",
                                       ", ok_codes: [0, 1]",
                                       ", shell: [/bin/sh, -e, -c]"};
  for (const auto& options : variants) {
    CAPTURE(options);
    CHECK(folder.plan(job(options)) == Words{options.empty() ? "new" : "changed"});
    CHECK(folder.run(job(options)).exit_code == 0);
    CHECK(folder.ran() == "ran");
    CHECK(folder.run(job(options)).exit_code == 0);
    CHECK(folder.ran().empty());
  }
  // Nothing was forgotten meanwhile; and env is one mapping, wherever its parts were declared.
  CHECK(folder.plan(job("")) == Words{"done"});
  CHECK(folder.plan("env: {A: '1'}\n" + job("")) == Words{"done"});
  CHECK(folder.plan(job(", ok_codes: [1, 0]")) == Words{"done"});
}

TEST_CASE("CHK-2: another job or group is another namespace") {
  const Folder folder;
  const auto in_group = [&](const std::string& name, const std::string& group) {
    return "name: " + name + "\ngroups: {" + group + ": ['" + folder.note("ran") + "']}";
  };
  folder.run(in_group("job", "g"));
  CHECK(folder.plan(in_group("job", "g")) == Words{"done"});
  CHECK(folder.plan(in_group("other", "g")) == Words{"new"});
  CHECK(folder.plan(in_group("job", "h")) == Words{"new"});
}

TEST_CASE("CHK-2: equal tasks are told apart by their count") {
  const Folder folder;
  folder.run(folder.job_of({"a", "a"}));
  CHECK(folder.ran() == "a a");
  CHECK(folder.plan(folder.job_of({"a", "a", "a"})) == Words{"done", "done", "new"});
  folder.run(folder.job_of({"a", "a", "a"}));
  CHECK(folder.ran() == "a");
  folder.run(folder.job_of({"a", "a", "a"}));
  CHECK(folder.ran().empty());
  const auto changed = "env: {A: '1'}\n" + folder.job_of({"a", "a"});
  CHECK(folder.plan(changed) == Words{"changed", "changed"});
}

TEST_CASE("CHK-2: each input is a task of its own, however the list grows") {
  const Folder folder;
  const auto job = [&](const std::string& inputs) {
    return "name: job\nqueue: {workers: 1}\ngroups: {g: {command: '" + folder.note("{}") +
           "', inputs: " + inputs + "}}";
  };
  folder.run(job("[one, two]"));
  folder.ran();
  folder.run(job("[zero, two, one]"));
  CHECK(folder.ran() == "zero");
}

TEST_CASE("CHK-2: a job in another place is the same job, with its relative paths") {
  const Folder folder;
  const auto job = "name: job\ntasks: [{cwd: sub, command: '" + folder.note("ran") + "'}]";
  for (const std::string place : {"/here", "/there"}) {
    fs::create_directories(folder.path() + place + "/sub");
    folder.folder().write(place.substr(1) + "/job.yaml", job);
    CHECK(run_osiiso(
              {"run", folder.path() + place + "/job.yaml", "--checkpoint", folder.checkpoint()})
              .exit_code == 0);
  }
  CHECK(folder.ran() == "ran");
}

TEST_CASE("CHK-1: failed and cancelled tasks run again, and the plan says why") {
  const Folder folder;
  const std::string flag = folder.path() + "/flag";
  const std::string job =
      "name: job\nqueue: {workers: 1}\ntasks:\n"
      "  - {name: good, command: '" +
      folder.note("good") +
      "'}\n"
      "  - {name: bad, command: '" +
      folder.note("bad") + "; test -e " + flag +
      "'}\n"
      "  - {name: after, needs: [bad], command: '" +
      folder.note("after") +
      "'}\n"
      "finally: ['" +
      folder.note("end") + "']\n";
  CHECK(folder.plan(job) == Words{"new", "new", "new", "finally"});
  CHECK_FALSE(fs::exists(folder.checkpoint()));
  CHECK(folder.run(job).exit_code == 1);
  CHECK(folder.ran() == "good bad end");
  CHECK(folder.plan(job) == Words{"done", "failed before", "cancelled before", "finally"});
  folder.folder().write("flag", "");
  CHECK(folder.run(job).exit_code == 0);
  CHECK(folder.ran() == "bad after end");
  CHECK(folder.run(job).exit_code == 0);
  CHECK(folder.ran() == "end");
}

TEST_CASE("CHK-3: what is needed and was restored counts as succeeded") {
  const Folder folder;
  const std::string start = "name: job\ngroups: {build: ['" + folder.note("build") + "']}\n";
  folder.run(start);
  folder.ran();
  const auto ended =
      folder.run(start + "tasks: [{needs: [build], command: '" + folder.note("use") + "'}]\n");
  CHECK(ended.exit_code == 0);
  CHECK(folder.ran() == "use");
}

TEST_CASE("CHK-3: the JSON counts restored tasks apart, with what they printed") {
  const Folder folder;
  const std::string job = "name: job\ntasks: [echo hello, {detached: true, command: echo apart}]";
  folder.run(job);
  const auto summary = folder.run_json(job);
  CHECK(summary["status"] == "PASSED");
  CHECK(summary["total_submitted"] == 0);
  CHECK(summary["results"].empty());
  CHECK(summary["detached"]["total"] == 0);
  CHECK(summary["restored"] == 2);
  const auto& restored = summary["restored_results"];
  REQUIRE(restored.size() == 2);
  CHECK(restored[0]["name"] == "echo hello");
  CHECK(restored[0]["status"] == "succeeded");
  CHECK(restored[0]["value"] == "hello");
  CHECK(restored[0]["stdout"] == "hello\n");
  CHECK(restored[0]["attempts"] == 0);
  CHECK(restored[0]["message"] == "restored from checkpoint");
  CHECK(restored[0]["started_at"].is_null());
}

TEST_CASE("CHK-3: a run of nothing but restored tasks is PASSED; -q says nothing of it") {
  const Folder folder;
  const auto job = folder.job_of({"a"});
  folder.run(job);
  const auto again = folder.run(job, {"-q"});
  CHECK(again.exit_code == 0);
  CHECK(again.err.empty());
  CHECK(again.out.find("Run Summary: PASSED") != std::string::npos);
  CHECK(folder.run(job).err ==
        "osiiso: restored 1 of 1 tasks from " + folder.checkpoint() + ": nothing is left to run\n");
}

TEST_CASE("the checkpoint can be named in the environment; plan shows a column in its text") {
  const Folder folder;
  auto invocation = osiiso_with({"run", "-"}, folder.job_of({"a"}));
  invocation.env["OSIISO_CHECKPOINT"] = folder.checkpoint();
  CHECK(run_program(invocation).exit_code == 0);
  invocation.arguments[1] = "plan";
  invocation.input = "name: job\ntasks: ['" + folder.note("a") + "', echo b]";
  CHECK(run_program(invocation).out ==
        " order  priority  group  checkpoint        task\n"
        "     1         3  -      done              " +
            folder.note("a") +
            "\n"
            "     2         3  -      new               echo b\n");
  CHECK(run_osiiso({"run", "-", "--checkpoint", ""}, "tasks: ['true']").exit_code == 2);
}

TEST_CASE("CHK-4: a file that cannot be used is refused before anything starts") {
  const Folder folder;
  folder.folder().write("done", "precious notes\n");
  const auto ended = folder.run(folder.job_of({"a"}));
  CHECK(ended.exit_code == 2);
  CHECK(ended.out.empty());
  CHECK(ended.err == "osiiso: checkpoint " + folder.checkpoint() + ": it is not a checkpoint\n");
  CHECK(folder.ran().empty());
  CHECK(read_file(folder.checkpoint()) == "precious notes\n");
  CHECK(
      run_osiiso({"plan", "-", "--checkpoint", folder.checkpoint()}, "tasks: ['true']").exit_code ==
      2);
}

TEST_CASE("CHK-4: two runs on one file at once are refused") {
  const ProcessGuard guard;
  const Folder folder;
  const std::string fifo = folder.path() + "/fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const std::string job = "tasks: ['" + folder.note("first") + "; read x < " + fifo + "']";
  RunningProgram first(osiiso_with({"run", "-", "--checkpoint", folder.checkpoint()}, job));
  REQUIRE(eventually([&] { return fs::exists(folder.path() + "/log"); }));
  const auto second = folder.run(folder.job_of({"second"}));
  CHECK(second.exit_code == 2);
  CHECK(second.err ==
        "osiiso: checkpoint " + folder.checkpoint() + ": it is in use by another run\n");
  std::ofstream(fifo) << "go\n";
  CHECK(first.wait().exit_code == 0);
  CHECK(folder.ran() == "first");
  CHECK(folder.run(folder.job_of({"third"})).exit_code == 0);
}

TEST_CASE("CHK-1: what cannot be recorded is told, exit code 74, and the run goes on") {
  const Folder folder;
  // No file may grow beyond 64 KiB: as good as a full disk, and needs no file system of its own.
  std::string job = "name: job\nqueue: {workers: 1}\ntasks:\n";
  for (int i = 0; i < 20; ++i) {
    job += "  - head -c 20000 /dev/zero | tr '\\0' x; echo " + std::to_string(i) + "\n";
  }
  job += "  - exit 3\n";
  osiiso::test::Invocation limited;
  limited.arguments = {"/bin/sh", "-c", "ulimit -f 128; exec \"$0\" run - --checkpoint \"$1\"",
                       OSIISO_PROGRAM, folder.checkpoint()};
  limited.input = job;
  const auto ended = run_program(limited);
  CHECK(ended.exit_code == 74);
  CHECK(ended.out.find("Succeeded   : 20\n") != std::string::npos);
  CHECK(ended.err.find("osiiso: checkpoint " + folder.checkpoint() + ": cannot record: ") !=
        std::string::npos);
  CHECK(ended.err.find("; the run itself ended: COMPLETED WITH ERRORS\n") != std::string::npos);
  CHECK(ended.err.find("(File too large)") != std::string::npos);
  // The file still opens, and has what had room.
  const auto again = folder.run_json(job);
  CHECK(again["restored"].get<int>() > 0);
  CHECK(again["restored"].get<int>() + again["succeeded"].get<int>() == 20);
}

TEST_CASE("CHK-4: a checkpoint that there is no room for is refused before anything starts") {
  const Folder folder;
  osiiso::test::Invocation limited;
  // Standard error is not to be limited, too.
  limited.arguments = {
      "/bin/sh", "-c",
      "{ (ulimit -f 1; \"$0\" run - --checkpoint \"$1\"; echo \"code $?\"); } 2>&1 | cat",
      OSIISO_PROGRAM, folder.checkpoint()};
  limited.input = folder.job_of({"a"});
  const auto ended = run_program(limited);
  CHECK(ended.out == "osiiso: checkpoint " + folder.checkpoint() +
                         ": disk I/O error (File too large)\ncode 2\n");
  CHECK(folder.ran().empty());
  CHECK(folder.run(folder.job_of({"a"})).exit_code == 0);
}
