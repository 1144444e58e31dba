// SPDX-License-Identifier: MIT
#include "report/json_parts.hpp"

#include "base/text.hpp"

namespace osiiso::report {

void write_attempt_fields(JsonText& out, const AttemptResult& attempt) {
  out.key("attempt").number(attempt.attempt);
  out.key("worker").number(attempt.worker);
  out.key("started_at").time(attempt.started_at);
  out.key("finished_at").time(attempt.finished_at);
  out.key("kind").text_or_null(to_string(attempt.cause));
  out.key("exit_code").number(attempt.exit_code);
  write_signal(out.key("signal"), attempt.signal);
  out.key("message").text(attempt.message);
}

void write_leaked_fields(JsonText& out, const LeakedProcess& process) {
  out.key("pid").number(process.pid);
  out.key("command").text(process.command);
  out.key("age").time(process.age);
}

void write_summary_counts(JsonText& out, const RunSummary& summary) {
  out.key("total_submitted").number(summary.total_submitted);
  out.key("succeeded").number(summary.succeeded);
  out.key("failed").number(summary.failed);
  out.key("cancelled").number(summary.cancelled);
  out.key("timed_out").boolean(summary.timed_out);
  out.key("duration").time(summary.duration);
}

void write_counts(JsonText& out, const RunFacts::Counts& counts) {
  out.open('{');
  out.key("total").number(counts.total);
  out.key("succeeded").number(counts.succeeded);
  out.key("failed").number(counts.failed);
  out.key("cancelled").number(counts.cancelled);
  out.close('}');
}

void write_signal(JsonText& out, std::optional<int> signal) {
  signal ? out.text(base::signal_name(*signal)) : out.null();
}

}  // namespace osiiso::report
