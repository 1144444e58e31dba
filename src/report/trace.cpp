// SPDX-License-Identifier: MIT
#include "report/trace.hpp"

#include <ostream>
#include <set>
#include <string>
#include <string_view>

#include "base/format.hpp"
#include "base/text.hpp"
#include "report/attempt_status.hpp"
#include "report/json_text.hpp"
#include "report/results.hpp"
#include "report/run_status.hpp"
#include "report/wall_time.hpp"

namespace osiiso::report {
namespace {

constexpr int kProcess = 1;
// Not 0, which readers take for an idle processor's.
constexpr int kRunThread = 1;
constexpr int kFirstWorkerThread = 2;

double microseconds(Duration time) {
  constexpr double kNanosecondsEach = 1000;
  return static_cast<double>(time.count()) / kNanosecondsEach;
}

class TraceWriter {
 public:
  TraceWriter(std::ostream& out, const RunSummary& summary, const RunFacts& facts)
      : out_(out), summary_(summary), facts_(facts) {}

  void write() {
    json_.open('{');
    json_.key("displayTimeUnit").text("ms");
    write_about_the_run();
    json_.new_line();
    json_.key("traceEvents").open('[');
    write_names();
    write_run();
    for (const ResultPtr result : results_of(summary_, facts_)) {
      for (const AttemptResult& attempt : result->attempt_list()) write_attempt(*result, attempt);
    }
    json_.close(']');
    json_.close('}');
    flush();
    out_ << '\n';
  }

 private:
  void flush() {
    out_ << json_.written();
    json_.clear();
  }

  /// Leaves the event open.
  void begin(std::string_view phase, std::string_view name, int thread) {
    flush();
    json_.new_line();
    json_.open('{');
    json_.key("ph").text(phase);
    json_.key("name").text(name);
    json_.key("pid").number(kProcess);
    json_.key("tid").number(thread);
  }

  void write_about_the_run() {
    json_.key("otherData").open('{');
    json_.key("name").text(facts_.name);
    json_.key("status").text(status_of(summary_, facts_));
    json_.key("started_at").text(rfc3339(to_wall_time(facts_.started_at)));
    json_.close('}');
  }

  void write_name(std::string_view what, int thread, std::string_view name) {
    begin("M", what, thread);
    json_.key("args").open('{');
    json_.key("name").text(name);
    json_.close('}');
    json_.close('}');
  }

  void write_names() {
    write_name("process_name", kRunThread, "osiiso " + facts_.name);
    write_thread(kRunThread, "run");
    for (const int worker : workers()) {
      write_thread(kFirstWorkerThread + worker, base::format("worker {}", worker));
    }
  }

  void write_thread(int thread, std::string_view name) {
    write_name("thread_name", thread, name);
    begin("M", "thread_sort_index", thread);
    json_.key("args").open('{');
    json_.key("sort_index").number(thread);
    json_.close('}');
    json_.close('}');
  }

  std::set<int> workers() const {
    std::set<int> found;
    for (const ResultPtr result : results_of(summary_, facts_)) {
      for (const AttemptResult& attempt : result->attempt_list()) found.insert(attempt.worker);
    }
    return found;
  }

  void write_run() {
    begin("X", facts_.name, kRunThread);
    json_.key("cat").text("run");
    json_.key("ts").number(0);
    json_.key("dur").number(microseconds(summary_.duration));
    write_run_args();
    begin("i", base::format("run ended: {}", status_of(summary_, facts_)), kRunThread);
    json_.key("cat").text("run");
    json_.key("ts").number(microseconds(summary_.duration));
    json_.key("s").text("g");
    write_run_args();
  }

  void write_run_args() {
    json_.key("args").open('{');
    json_.key("total_submitted").number(summary_.total_submitted);
    json_.key("succeeded").number(summary_.succeeded);
    json_.key("failed").number(summary_.failed);
    json_.key("cancelled").number(summary_.cancelled);
    if (facts_.interrupted_by) {
      json_.key("interrupted_by").text(base::signal_name(*facts_.interrupted_by));
    }
    json_.close('}');
    json_.close('}');
  }

  void write_attempt(const TaskResult& result, const AttemptResult& attempt) {
    begin("X", result.name, kFirstWorkerThread + attempt.worker);
    json_.key("cat").text(to_string(attempt_status(result, attempt)));
    json_.key("ts").number(microseconds(attempt.started_at));
    json_.key("dur").number(microseconds(attempt.finished_at - attempt.started_at));
    json_.key("args").open('{');
    json_.key("task_id").text(result.task_id.text());
    if (!result.group_id.empty()) json_.key("group_id").text(result.group_id);
    json_.key("status").text(to_string(result.status));
    json_.key("attempt").number(attempt.attempt);
    json_.key("attempts").number(result.attempts);
    json_.key("priority").number(result.priority);
    if (attempt.cause != Cause::none) json_.key("kind").text(to_string(attempt.cause));
    if (attempt.exit_code) json_.key("exit_code").number(*attempt.exit_code);
    if (attempt.signal) json_.key("signal").text(base::signal_name(*attempt.signal));
    if (!attempt.message.empty()) json_.key("message").text(attempt.message);
    if (!result.command.empty()) json_.key("command").text(result.command);
    json_.close('}');
    json_.close('}');
  }

  std::ostream& out_;
  const RunSummary& summary_;
  const RunFacts& facts_;
  JsonText json_;
};

}  // namespace

void write_trace(std::ostream& out, const RunSummary& summary, const RunFacts& facts) {
  TraceWriter(out, summary, facts).write();
}

}  // namespace osiiso::report
