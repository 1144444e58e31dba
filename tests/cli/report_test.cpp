// SPDX-License-Identifier: MIT
// Reports that a run writes, and those that are made of its saved JSON.
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "cli/osiiso.hpp"
#include "support/process_guard.hpp"
#include "support/tools.hpp"

using nlohmann::json;
using osiiso::test::Ended;
using osiiso::test::eventually;
using osiiso::test::has_tool;
using osiiso::test::osiiso_with;
using osiiso::test::ProcessGuard;
using osiiso::test::read_file;
using osiiso::test::run_osiiso;
using osiiso::test::run_program;
using osiiso::test::RunningProgram;
using osiiso::test::TemporaryFolder;

namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kKinds = {"json", "junit", "html", "trace", "text"};

// Succeeds, fails with any bytes, passes its timeout, is flaky, has no program, is cancelled.
const std::string kJob = R"(
name: everything
queue: {workers: 2}
tasks:
  - echo fine
  - {name: "bytes </script> ]]>", command: "printf 'a\\033[31m\\001<b>\\377'; printf '\\303\\050]]>&\\n' >&2; exit 3", retries: 1}
  - {name: slow, command: sleep 60, timeout: 0.1s}
  - {name: flaky, command: "test -e flag || { touch flag; exit 1; }", retries: 1}
  - {name: none, command: [/no/such/program]}
  - {name: after, command: echo never, needs: [none], metadata: {owner: ops}}
groups:
  many: {command: "echo {}", inputs: [a, b, c]}
)";

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::map<std::string, std::string> files_of(const std::string& folder) {
  std::map<std::string, std::string> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    found[entry.path().filename().string()] = read_file(entry.path().string());
  }
  return found;
}

Ended run_in(const std::string& folder, std::vector<std::string> arguments,
             const std::string& input) {
  auto invocation = osiiso_with(std::move(arguments), input);
  invocation.folder = folder;
  return run_program(invocation);
}

/// The program, started by this script as `"$@"`.
Ended run_in_script(const std::string& folder, const std::string& script,
                    std::vector<std::string> arguments, const std::string& input) {
  auto invocation = osiiso_with(std::move(arguments), input);
  invocation.arguments.insert(invocation.arguments.begin(), {"/bin/bash", "-c", script, "bash"});
  invocation.folder = folder;
  return run_program(invocation);
}

}  // namespace

TEST_CASE("a run writes every kind of report, and its saved JSON gives the same ones again") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  std::vector<std::string> arguments = {"run", "-"};
  for (const auto& kind : kKinds) {
    arguments.insert(arguments.end(), {"--report", kind + "=" + folder.path() + "/own." + kind});
  }
  const auto ended = run_in(folder.path(), arguments, kJob);
  CHECK(ended.exit_code == 1);
  const auto own = files_of(folder.path());
  CHECK(own.at("own.text") == ended.out);
  const json summary = json::parse(own.at("own.json"));
  CHECK(summary["total_submitted"] == 9);
  CHECK(summary["failed"] == 3);
  CHECK(contains(own.at("own.junit"), "<testsuites name=\"everything\" tests=\"9\""));
  CHECK(contains(own.at("own.junit"), "<flakyFailure type=\"exit\""));
  CHECK(json::parse(own.at("own.trace"))["traceEvents"].size() > 9);
  CHECK(own.at("own.html").starts_with("<!DOCTYPE html>"));
  if (has_tool("xmllint")) {
    CHECK(std::system(("xmllint --noout " + folder.path() + "/own.junit").c_str()) == 0);
  }

  for (const auto& kind : kKinds) {
    CAPTURE(kind);
    const auto again =
        run_in(folder.path(), {"report", "own.json", "--report", kind + "=again." + kind}, "");
    CHECK(again.exit_code == 0);
    CHECK(again.out == ended.out);
    CHECK(again.err.empty());
    CHECK(read_file(folder.path() + "/again." + kind) == own.at("own." + kind));
  }
  CHECK(run_osiiso({"report", "-", "--json"}, own.at("own.json")).out == own.at("own.json"));
  CHECK(run_osiiso({"report", "-", "--report", "junit=-"}, own.at("own.json")).out ==
        own.at("own.junit"));
}

TEST_CASE(
    "a report on standard output is all of it, and a reader finds the text on standard error") {
  const std::string job = "tasks: ['true']";
  const auto junit = run_osiiso({"run", "-", "--report", "junit=-"}, job);
  CHECK(junit.exit_code == 0);
  CHECK(junit.out.starts_with("<?xml"));
  CHECK(junit.out.ends_with("</testsuites>\n"));
  CHECK(contains(junit.err, "  Run Summary: PASSED\n"));

  const auto as_json = run_osiiso({"run", "-", "--report", "json=-"}, job);
  CHECK(json::parse(as_json.out)["ok"] == true);
  CHECK(as_json.err.empty());

  const auto as_text = run_osiiso({"run", "-", "--report", "text=-"}, job);
  CHECK(contains(as_text.out, "  Run Summary: PASSED\n"));
  CHECK(as_text.err.empty());
}

TEST_CASE("nothing starts where a report could not be written") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  const std::string job = "tasks: [touch started]";
  for (const char* report : {"html=no/such/folder", "junit=.", "jsn=a", "json"}) {
    CAPTURE(report);
    const auto ended = run_in(folder.path(), {"run", "-", "--report", report}, job);
    CHECK(ended.exit_code == 2);
    CHECK(ended.out.empty());
    CHECK(ended.err.starts_with("osiiso: --report: "));
  }
  CHECK(files_of(folder.path()).empty());
}

TEST_CASE(
    "a report replaces neither the job file nor the checkpoint nor the summary that is read") {
  const TemporaryFolder folder;
  const std::string job = "tasks: ['true']";
  folder.write("job.yaml", job);
  folder.write("run.json", run_osiiso({"run", "-", "--json"}, job).out);
  const auto files = files_of(folder.path());
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"run", "job.yaml", "--report", "html=./job.yaml"},
           {"run", "job.yaml", "--report", "html=done.db", "--checkpoint", "done.db"},
           {"report", "run.json", "--report", "html=run.json"}}) {
    const auto ended = run_in(folder.path(), arguments, "");
    CHECK(ended.exit_code == 2);
    CHECK(contains(ended.err, ", which would be replaced\n"));
  }
  CHECK(files_of(folder.path()) == files);
}

TEST_CASE("a report that cannot be written in the end costs no other, and the run's end is told") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  fs::create_directory(folder.path() + "/gone");
  const auto ended = run_in(folder.path(),
                            {"run", "-", "--report", "html=gone/a.html", "--report",
                             "junit=/dev/full", "--report", "json=kept.json"},
                            "tasks: [rmdir gone]");
  CHECK(ended.exit_code == 74);
  CHECK(contains(ended.out, "  Run Summary: PASSED\n"));
  CHECK(contains(ended.err, "/gone/"));
  CHECK(contains(ended.err,
                 "osiiso: cannot write /dev/full: No space left on device; "
                 "the run itself ended: PASSED\n"));
  CHECK(json::parse(read_file(folder.path() + "/kept.json"))["ok"] == true);
}

TEST_CASE("a report that grows too large leaves the one that was there") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  folder.write("run.html", "the last one");
  const auto ended =
      run_in_script(folder.path(), "ulimit -f 1; \"$@\" | cat; exit ${PIPESTATUS[0]}",
                    {"run", "-", "--report", "html=run.html"}, "tasks: ['true']");
  CHECK(ended.exit_code == 74);
  CHECK(contains(ended.err, "cannot write run.html: File too large"));
  CHECK(files_of(folder.path()) ==
        std::map<std::string, std::string>{{"run.html", "the last one"}});
}

TEST_CASE("reports go into pipes, too") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  const auto through = run_in_script(
      folder.path(),
      "\"$@\" --report junit=>(cat > junit) --report trace=/dev/fd/3 3> trace; wait $!",
      {"run", "-"}, "tasks: ['true']");
  CHECK(through.exit_code == 0);
  CHECK(eventually([&] {
    return fs::exists(folder.path() + "/junit") &&
           read_file(folder.path() + "/junit").ends_with("</testsuites>\n");
  }));
  CHECK(json::accept(read_file(folder.path() + "/trace")));

  const auto by_name = run_in_script(folder.path(), "mkfifo p; cat p > copy & \"$@\"; wait",
                                     {"run", "-", "--report", "json=p"}, "tasks: ['true']");
  CHECK(by_name.exit_code == 0);
  CHECK(json::accept(read_file(folder.path() + "/copy")));
}

TEST_CASE("an interrupted run writes its reports") {
  const ProcessGuard guard;
  const TemporaryFolder folder;
  auto invocation = osiiso_with({"run", "-", "--report", "junit=junit.xml"},
                                "tasks: [touch started; exec sleep 600, {command: sleep 601, "
                                "name: never, delay: 600s}]");
  invocation.arguments.insert(invocation.arguments.end(), {"--grace", "1s"});
  invocation.folder = folder.path();
  RunningProgram program(invocation);
  REQUIRE(eventually([&] { return fs::exists(folder.path() + "/started"); }));
  program.send(SIGTERM);
  CHECK(program.wait().signal == SIGTERM);
  const std::string junit = read_file(folder.path() + "/junit.xml");
  CHECK(contains(junit, "<error type=\"signal\" message=\"the run was interrupted by SIGTERM\"/>"));
  CHECK(junit.ends_with("</testsuites>\n"));
}

TEST_CASE("the environment can ask for a report, and a plan writes none") {
  const TemporaryFolder folder;
  auto invocation = osiiso_with({"run", "-"}, "tasks: ['true']");
  invocation.folder = folder.path();
  invocation.env["OSIISO_REPORT"] = "text=a.txt";
  const auto ended = run_program(invocation);
  CHECK(read_file(folder.path() + "/a.txt") == ended.out);

  const auto planned =
      run_in(folder.path(), {"run", "-", "--dry-run", "--report", "html=b"}, "tasks: ['true']");
  CHECK(planned.exit_code == 0);
  CHECK_FALSE(fs::exists(folder.path() + "/b"));
}
