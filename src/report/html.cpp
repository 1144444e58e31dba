// SPDX-License-Identifier: MIT
#include "report/html.hpp"

#include <algorithm>
#include <ostream>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "report/attempt_status.hpp"
#include "report/json_text.hpp"
#include "report/output_budget.hpp"
#include "report/page.hpp"
#include "report/results.hpp"
#include "report/run_status.hpp"
#include "report/wall_time.hpp"
#include "report/xml_text.hpp"

namespace osiiso::report {
namespace {

constexpr std::size_t kMostOutput = std::size_t{32} << 20;

/// The same JSON without what could end or change the element that it stands in: `<`, which is only
/// in strings, and the line separators of Unicode, which JavaScript once took for line ends.
void write_in_script(std::ostream& out, std::string_view json) {
  constexpr std::string_view kSeparators[] = {"\xE2\x80\xA8", "\xE2\x80\xA9"};
  constexpr std::string_view kSuspects = "<\xE2";
  while (!json.empty()) {
    const auto plain = std::min(json.find_first_of(kSuspects), json.size());
    out << json.substr(0, plain);
    json.remove_prefix(plain);
    if (json.empty()) return;
    std::size_t length = 1;
    if (json.front() == '<') {
      out << "\\u003c";
    } else if (json.starts_with(kSeparators[0]) || json.starts_with(kSeparators[1])) {
      length = kSeparators[0].size();
      out << (json.starts_with(kSeparators[0]) ? "\\u2028" : "\\u2029");
    } else {
      out << json.front();
    }
    json.remove_prefix(length);
  }
}

/// The data of the page; page.js says how it reads them. What has its usual value is left out.
class DataWriter {
 public:
  DataWriter(std::ostream& out, const RunSummary& summary, const RunFacts& facts)
      : out_(out), summary_(summary), facts_(facts) {}

  void write() {
    json_.open('{');
    write_run();
    json_.key("tasks").open('[');
    for (const ResultPtr result : results_of(summary_, facts_)) write_task(*result);
    json_.close(']');
    json_.new_line();
    json_.key("restored").open('[');
    for (const ResultPtr result : restored_of(summary_, facts_)) write_task(*result);
    json_.close(']');
    json_.close('}');
    flush();
  }

 private:
  void flush() {
    write_in_script(out_, json_.written());
    json_.clear();
  }

  void write_run() {
    json_.key("name").text(facts_.name);
    json_.key("status").text(status_of(summary_, facts_));
    json_.key("started_at").text(rfc3339(to_wall_time(facts_.started_at)));
    json_.key("duration").time(summary_.duration);
    json_.key("interrupted_by");
    facts_.interrupted_by ? json_.text(base::signal_name(*facts_.interrupted_by)) : json_.null();
    json_.key("leaked").number(facts_.leaked);
    json_.key("detached").number(facts_.detached.total);
    json_.key("detached_failed").number(facts_.detached.failed);
    json_.new_line();
  }

  void write_task(const TaskResult& result) {
    flush();
    json_.new_line();
    json_.open('{');
    json_.key("name").text(result.name);
    if (!result.group_id.empty()) json_.key("group").text(result.group_id);
    json_.key("status").text(to_string(result.status));
    json_.key("created").time(result.created_at);
    if (result.started_at) json_.key("start").time(*result.started_at);
    json_.key("end").time(result.finished_at);
    if (!result.command.empty()) json_.key("command").text(result.command);
    if (!result.message.empty()) json_.key("message").text(result.message);
    if (result.priority != TaskResult().priority) json_.key("priority").number(result.priority);
    if (result.must_complete) json_.key("must_complete").boolean(true);
    if (result.metadata) json_.key("metadata").tree(*result.metadata);
    if (result.output) write_output(result.status, *result.output);
    json_.key("attempts").open('[');
    for (const AttemptResult& attempt : result.attempt_list()) write_attempt(result, attempt);
    json_.close(']');
    json_.close('}');
  }

  void write_output(Status status, const CommandOutput& output) {
    if (output.max_rss > 0) {
      json_.key("cpu").time(output.cpu_user + output.cpu_system);
      json_.key("rss").number(output.max_rss);
    }
    if (!output.leaked.empty()) {
      json_.key("leaked").open('[');
      for (const LeakedProcess& process : output.leaked) json_.text(process.command);
      json_.close(']');
    }
    if (status != Status::failed) return;
    if (!budget_.take(output)) return json_.key("output_left_out").boolean(true);
    if (!output.stdout_text.empty()) json_.key("stdout").text(output.stdout_text);
    if (!output.stderr_text.empty()) json_.key("stderr").text(output.stderr_text);
  }

  /// Worker, start, end; and, unless it succeeded, why not (null: it was cancelled), its exit code
  /// or signal, and its message.
  void write_attempt(const TaskResult& result, const AttemptResult& attempt) {
    json_.open('[');
    json_.number(attempt.worker);
    json_.time(attempt.started_at);
    json_.time(attempt.finished_at);
    if (attempt_status(result, attempt) != Status::succeeded) {
      json_.text_or_null(to_string(attempt.cause));
      if (attempt.signal) {
        json_.text(base::signal_name(*attempt.signal));
      } else {
        json_.number(attempt.exit_code);
      }
      json_.text(attempt.message);
    }
    json_.close(']');
  }

  std::ostream& out_;
  const RunSummary& summary_;
  const RunFacts& facts_;
  OutputBudget budget_{kMostOutput};
  JsonText json_;
};

/// Writes `page` up to the next `mark`, and skips both.
void write_up_to(std::ostream& out, std::string_view& page, std::string_view mark) {
  const auto at = page.find(mark);
  out << page.substr(0, at);
  page.remove_prefix(std::min(page.size(), at + mark.size()));
}

}  // namespace

void write_html(std::ostream& out, const RunSummary& summary, const RunFacts& facts) {
  std::string_view page = kPageHtml;
  write_up_to(out, page, "{{title}}");
  out << xml_text(facts.name);
  write_up_to(out, page, "{{css}}");
  out << kPageCss;
  write_up_to(out, page, "{{data}}");
  DataWriter(out, summary, facts).write();
  write_up_to(out, page, "{{js}}");
  out << kPageJs << page;
}

}  // namespace osiiso::report
