// SPDX-License-Identifier: MIT
#include <regex>
#include <string>

#include <doctest/doctest.h>

#include "cli/osiiso.hpp"

using nlohmann::json;
using osiiso::test::osiiso_with;
using osiiso::test::read_file;
using osiiso::test::run_json;
using osiiso::test::run_osiiso;
using osiiso::test::run_program;
using osiiso::test::TemporaryFolder;

namespace {

const std::string kThreeTasks =
    R"(tasks: [echo a, "exit 3", {name: f, command: "echo Connection refused >&2; exit 1", retries: 2}])";

std::string without_duration(const std::string& shown) {
  return std::regex_replace(shown, std::regex(R"([0-9]+\.[0-9]{3}s)"), "X");
}

}  // namespace

TEST_CASE("a run with failures shows the report of the seed page and exits with 1") {
  const auto ended = run_osiiso({"run", "-"}, kThreeTasks);
  CHECK(ended.exit_code == 1);
  CHECK(without_duration(ended.out) ==
        "----------------------------------------\n"
        "  Run Summary: COMPLETED WITH ERRORS\n"
        "----------------------------------------\n"
        "  Total tasks : 3\n"
        "  Succeeded   : 1\n"
        "  Failed      : 2\n"
        "  Cancelled   : 0\n"
        "  Duration    : X\n"
        "----------------------------------------\n"
        "  Failures:\n"
        "    - exit 3\n"
        "      exit status 3\n"
        "    - f (3 attempts)\n"
        "      Connection refused\n"
        "----------------------------------------\n");
  CHECK(ended.err == "osiiso: output of 'f':\nConnection refused\n");
}

TEST_CASE("a run without failures exits with 0 and says nothing on stderr") {
  const auto ended = run_osiiso({"run", "-"}, "tasks: [echo a, 'true']");
  CHECK(ended.exit_code == 0);
  CHECK(ended.out.find("Run Summary: PASSED") != std::string::npos);
  CHECK(ended.err.empty());
}

TEST_CASE("--json prints one object with every documented field and nothing else") {
  const auto summary = run_json(kThreeTasks);
  for (const char* key :
       {"schema", "name", "status", "ok", "total_submitted", "succeeded", "failed", "cancelled",
        "timed_out", "duration", "started_at", "interrupted_by", "restored", "restored_results",
        "detached", "leaked", "groups", "results"}) {
    CAPTURE(key);
    CHECK(summary.contains(key));
  }
  CHECK(summary["status"] == "COMPLETED WITH ERRORS");
  CHECK(summary["name"] == "stdin");
  const auto& results = summary["results"];
  CHECK(results[0]["value"] == "a");
  CHECK(results[0]["stdout"] == "a\n");
  CHECK(results[1]["exception"] == json({{"kind", "exit"}, {"exit_code", 3}, {"signal", nullptr}}));
  CHECK(results[2]["attempts"] == 3);
  CHECK(results[2]["attempt_list"].size() == 3);
  CHECK(results[2]["message"] == "Connection refused");
  CHECK(results[2]["stderr"] == "Connection refused\n");
  CHECK(results[2]["max_rss"].get<long>() > 0);
}

TEST_CASE("the exit code says how the run ended") {
  CHECK(run_osiiso({"run", "-"}, "tasks: ['true']").exit_code == 0);
  CHECK(run_osiiso({"run", "-"}, "tasks: ['false']").exit_code == 1);
  CHECK(run_osiiso({"run", "-"}, "tasks: [{comand: x}]").exit_code == 2);
  CHECK(run_osiiso({"run", "-"}, "tasks: []").exit_code == 4);
  CHECK(run_osiiso({"run", "-", "-t", "x*"}, "tasks: [{name: xy, command: 'true'}]").exit_code ==
        0);
  CHECK(run_osiiso({"run", "-", "--timeout", "100ms"}, "tasks: [sleep 1000]").exit_code == 124);
}

TEST_CASE("a result that cannot be written is told, with how the run ended, and exits with 74") {
  for (const char* option : {"--json", "-q"}) {
    auto invocation = osiiso_with({"run", "-", option}, "tasks: ['false']");
    invocation.stdout_path = "/dev/full";
    const auto full = run_program(invocation);
    CHECK(full.exit_code == 74);
    CHECK(full.err.find("No space left on device; the run itself ended: COMPLETED WITH ERRORS") !=
          std::string::npos);
  }
  auto closed = osiiso_with({"run", "-"}, "tasks: ['true']");
  closed.close_stdout = true;
  const auto ended = run_program(closed);
  CHECK(ended.exit_code == 74);
  CHECK(ended.err.find("cannot write the result to standard output") != std::string::npos);
}

TEST_CASE("a broken file starts nothing and shows every mistake with its place") {
  const TemporaryFolder folder;
  const auto path = folder.write("job.yaml",
                                 "version: 2\n"
                                 "queue: {kind: tread}\n"
                                 "tasks:\n"
                                 "  - touch started\n"
                                 "  - {name: a, comand: x}\n"
                                 "  - {command: x, retries: many}\n"
                                 "  - {command: x, timeout: 5 parsecs}\n"
                                 "  - {command: x, needs: [nobody]}\n");
  auto invocation = osiiso_with({"run", "job.yaml"});
  invocation.folder = folder.path();
  const auto ended = run_program(invocation);
  CHECK(ended.exit_code == 2);
  CHECK(ended.out.empty());
  for (const char* place :
       {"job.yaml:1:10: error: ", "job.yaml:2:15: error: ", "job.yaml:5:15: error: ",
        "job.yaml:6:27: error: ", "job.yaml:7:27: error: ", "job.yaml:8:26: error: "}) {
    CAPTURE(place);
    CHECK(ended.err.find(place) != std::string::npos);
  }
  CHECK(ended.err.find("did you mean 'command'?") != std::string::npos);
  CHECK(osiiso::test::read_file(folder.path() + "/started").empty());
}

TEST_CASE("no task of a group starts before all of the group that it needs succeeded") {
  for (const char* workers : {"1", "8"}) {
    CAPTURE(workers);
    const auto summary = run_json(R"(
groups:
  b: {needs: [a], tasks: [echo b1, echo b2]}
  a: [sleep 0.05, sleep 0.1]
finally: [echo end]
)",
                                  {"-j", workers});
    CHECK(summary["ok"] == true);
    double end_of_a = 0;
    for (const auto& result : summary["results"]) {
      if (result["group_id"] == "a")
        end_of_a = std::max(end_of_a, result["finished_at"].get<double>());
    }
    for (const auto& result : summary["results"]) {
      if (result["group_id"] == "b") CHECK(result["started_at"].get<double>() >= end_of_a);
    }
  }
}

TEST_CASE("when one of a needed group fails, those who need it are cancelled and finally runs") {
  for (const char* workers : {"1", "8"}) {
    CAPTURE(workers);
    const auto summary = run_json(R"(
groups:
  a: ['true', 'false']
  b: {needs: [a], tasks: [echo b1, echo b2], finally: [echo end of b]}
finally: [echo end]
)",
                                  {"-j", workers});
    CHECK(summary["failed"] == 1);
    CHECK(summary["cancelled"] == 2);
    for (const auto& result : summary["results"]) {
      if (result["status"] != "cancelled") continue;
      CHECK(result["group_id"] == "b");
      CHECK(result["message"] == "needs 'a', which failed");
      CHECK(result["attempts"] == 0);
    }
    CHECK(summary["results"].back()["value"] == "end");
  }
}

TEST_CASE("finally tasks run after a timeout of the run, whatever on_timeout says") {
  for (const char* policy : {"complete", "cancel"}) {
    CAPTURE(policy);
    const auto summary = run_json("tasks: [sleep 1000]\nfinally: [echo end]\n",
                                  {"--timeout", "100ms", "--on-timeout", policy});
    CHECK(summary["timed_out"] == true);
    CHECK(summary["results"][1]["value"] == "end");
  }
}

TEST_CASE("a detached task is counted apart, and its failure told on stderr") {
  const auto ended =
      run_osiiso({"run", "-", "--json"},
                 R"(tasks: [{name: d, command: "echo boom >&2; exit 1", detached: true}, echo a])");
  const auto summary = json::parse(ended.out);
  CHECK(ended.exit_code == 0);
  CHECK(summary["total_submitted"] == 1);
  CHECK(summary["detached"] ==
        json({{"total", 1}, {"succeeded", 0}, {"failed", 1}, {"cancelled", 0}}));
  CHECK(ended.err.find("osiiso: detached task 'd' failed: boom\n") != std::string::npos);
}

TEST_CASE("a timed-out task leaves no process behind") {
  const auto summary =
      run_json(R"(tasks: [{name: s, command: "sleep 98761 & sleep 98761", timeout: 0.2}])");
  CHECK(summary["results"][0]["message"] == "task 's' exceeded 0.2s timeout");
  CHECK(summary["results"][0]["exception"]["kind"] == "timeout");
  CHECK(osiiso::test::count_processes("98761") == 0);
}

TEST_CASE("a task that ignores SIGTERM is killed at its grace") {
  const auto summary = run_json(
      R"(tasks: [{name: s, command: "trap '' TERM; while :; do sleep 0.05; done", timeout: 1, grace: 0.2}])");
  CHECK(summary["results"][0]["message"] == "task 's' exceeded 1s timeout");
  CHECK(summary["results"][0]["attempt_list"][0]["signal"] == "SIGKILL");
  CHECK(summary["results"][0]["duration"].get<double>() >= 1.2);
}

TEST_CASE(
    "options of the command line win over the file's queue, and the environment is their twin") {
  const std::string job = "queue: {fail_policy: continue, workers: 1}\ntasks: ['false', echo a]\n";
  CHECK(run_json(job)["succeeded"] == 1);
  CHECK(run_json(job, {"--fail-fast"})["cancelled"] == 1);
  CHECK(run_json(job, {"--fail-policy", "fail_first"})["cancelled"] == 1);
  auto invocation = osiiso_with({"run", "-", "--json"}, job);
  invocation.env["OSIISO_FAIL_POLICY"] = "fail_first";
  CHECK(json::parse(run_program(invocation).out)["cancelled"] == 1);
}

TEST_CASE("an osiiso inside a task inherits the options of the environment, not its files") {
  const TemporaryFolder folder;
  auto invocation =
      osiiso_with({"run", "-", "--json"}, "tasks: [\"" OSIISO_PROGRAM " run inner.yaml\"]");
  folder.write("inner.yaml", "tasks: ['exit 3', 'true']");
  invocation.folder = folder.path();
  invocation.env["OSIISO_FAIL_FAST"] = "1";
  invocation.env["OSIISO_WORKERS"] = "1";
  invocation.env["OSIISO_CHECKPOINT"] = "done.db";
  invocation.env["OSIISO_EVENTS"] = "events";
  invocation.env["OSIISO_LOG_DIR"] = "logs";
  invocation.env["OSIISO_REPORT"] = "json=run.json";
  const auto ended = run_program(invocation);
  CHECK(ended.exit_code == 1);
  const json outer = json::parse(read_file(folder.path() + "/run.json"));
  CHECK(outer["total_submitted"] == 1);
  const json& inner = outer["results"][0];
  CHECK(inner["exception"]["exit_code"] == 1);
  CHECK(inner["stdout"].get<std::string>().find("Cancelled   : 1") != std::string::npos);
}

TEST_CASE("task defaults of the command line hold where the file says nothing") {
  const auto summary =
      run_json("tasks: ['false', {command: 'false', retries: 0}]", {"--retries", "2"});
  CHECK(summary["results"][0]["attempts"] == 3);
  CHECK(summary["results"][1]["attempts"] == 1);
}

TEST_CASE("a task sees who it is, and nothing else of ours") {
  const auto summary = run_json(R"(
groups:
  g:
    - {name: who, command: 'echo "$OSIISO_TASK $OSIISO_GROUP $OSIISO_ATTEMPT/$OSIISO_MAX_ATTEMPTS"', retries: 1}
    - {name: id, command: 'echo "$OSIISO_TASK_ID"'}
    - {name: files, command: 'ls /proc/self/fd | tr "\n" " "'}
)");
  CHECK(summary["results"][0]["value"] == "who g 1/2");
  CHECK(summary["results"][1]["value"] == summary["results"][1]["task_id"]);
  // ls itself opens the folder as the lowest free number.
  CHECK(summary["results"][2]["stdout"] == "0 1 2 3 ");
}

TEST_CASE("a low limit of open files does not bound a run, and tasks get it as it was") {
  auto invocation = osiiso_with({"run", "-", "--json", "-j", "8"},
                                "tasks: [ulimit -S -n, sleep 0.1, sleep 0.1, sleep 0.1, sleep 0.1, "
                                "sleep 0.1, sleep 0.1, sleep 0.1]");
  std::string command = "ulimit -S -n 20; exec";
  for (const auto& word : invocation.arguments) command += " '" + word + "'";
  invocation.arguments = {"/bin/sh", "-c", command};
  const auto summary = json::parse(run_program(invocation).out);
  CHECK(summary["succeeded"] == 8);
  CHECK(summary["results"][0]["value"] == "20");
}

TEST_CASE("every kind of queue gives the same report for the same job file") {
  const std::string job = R"(
tasks:
  - echo a
  - "exit 3"
  - {name: f, command: "echo so >&2; exit 1", retries: 2}
  - {name: slow, command: "echo begun; sleep 1000", timeout: 1}
  - [/no/such/program]
  - {name: killed, command: "kill -SEGV $$"}
  - {name: input, command: cat, stdin: hello}
groups:
  g: {needs: [f], tasks: [echo b], finally: [echo c]}
finally: ['echo "$OSIISO_TASK"']
)";
  const auto report = [&](const char* kind) {
    auto summary = run_json(job, {"--queue", kind});
    for (const char* key : {"started_at", "duration"}) summary.erase(key);
    for (auto& result : summary["results"]) {
      for (const char* key : {"task_id", "created_at", "started_at", "finished_at", "duration",
                              "cpu_user", "cpu_system", "max_rss"}) {
        result.erase(key);
      }
      for (auto& attempt : result["attempt_list"]) {
        for (const char* key : {"started_at", "finished_at", "worker"}) attempt.erase(key);
      }
    }
    return summary;
  };
  const auto on_threads = report("thread");
  CHECK(on_threads["failed"] == 5);
  CHECK(report("process") == on_threads);
  CHECK(report("async") == on_threads);
}

TEST_CASE("several files are one run, each with its own env") {
  const TemporaryFolder folder;
  const auto first = folder.write("first.yaml", "env: {WHO: first}\ntasks: [echo $WHO]\n");
  const auto second = folder.write("second.yaml", "env: {WHO: second}\ntasks: [echo $WHO]\n");
  const auto ended = run_osiiso({"run", "--json", first, second});
  const auto summary = json::parse(ended.out);
  CHECK(summary["results"][0]["value"] == "first");
  CHECK(summary["results"][1]["value"] == "second");
}

TEST_CASE("a job from standard input runs where the current folder was removed") {
  const osiiso::test::TemporaryFolder folder;
  auto invocation = osiiso_with({"run", "-"}, "tasks: [echo hello]");
  invocation.arguments = {"/bin/sh", "-c",
                          "mkdir gone && cd gone && rmdir ../gone && exec \"$0\" run -",
                          invocation.arguments.front()};
  invocation.folder = folder.path();
  const auto ended = osiiso::test::run_program(invocation);
  CHECK(ended.exit_code == 0);
  CHECK(ended.err.empty());
}
