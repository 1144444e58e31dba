// SPDX-License-Identifier: MIT
#include "report/json.hpp"

#include <any>
#include <ostream>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/format.hpp"
#include "report/json_parts.hpp"
#include "report/json_text.hpp"
#include "report/results.hpp"
#include "report/run_status.hpp"
#include "report/wall_time.hpp"

namespace osiiso::report {
namespace {

// Of each stream of a command this much is kept: the first and the last 32 KiB (CommandOutput).
constexpr std::uint64_t kKeptBytes = 65'536;
constexpr std::size_t kWriteSize = 65'536;

void write_groups(JsonText& out, const Results& results) {
  out.open('{');
  for (const auto& group : results.groups().list()) {
    out.text_key(group.id);
    write_counts(out, group.counts);
  }
  out.close('}');
}

template <typename Number>
bool write_if_number(JsonText& out, const std::any& value) {
  const auto* number = std::any_cast<Number>(&value);
  if (number != nullptr) out.number(*number);
  return number != nullptr;
}

template <typename... Numbers>
bool write_if_one_of(JsonText& out, const std::any& value) {
  return (write_if_number<Numbers>(out, value) || ...);
}

void write_function_value(JsonText& out, const std::any& value) {
  if (const auto* text = std::any_cast<std::string>(&value)) {
    out.text(*text);
  } else if (const auto* view = std::any_cast<std::string_view>(&value)) {
    out.text(*view);
  } else if (const auto* literal = std::any_cast<const char*>(&value)) {
    *literal != nullptr ? out.text(*literal) : out.null();
  } else if (const auto* boolean = std::any_cast<bool>(&value)) {
    out.boolean(*boolean);
  } else if (const auto* tree = std::any_cast<nlohmann::json>(&value)) {
    out.tree(*tree);
  } else if (const auto* single = std::any_cast<float>(&value)) {
    out.number(static_cast<double>(*single));
  } else if (!write_if_one_of<int, double, long, long long, unsigned, unsigned long,
                              unsigned long long, short, unsigned short>(out, value)) {
    out.null();
  }
}

void write_command_value(JsonText& out, const CommandOutput& output) {
  if (output.truncated && output.stdout_bytes > kKeptBytes) return out.null();
  std::string_view value = output.stdout_text;
  if (value.ends_with('\n')) value.remove_suffix(1);
  out.text(value);
}

void write_value(JsonText& out, const TaskResult& result) {
  if (result.status != Status::succeeded) return out.null();
  if (!result.output) return write_function_value(out, result.value);
  write_command_value(out, *result.output);
}

void write_exception(JsonText& out, const TaskResult& result) {
  if (result.status != Status::failed) return out.null();
  const auto& attempts = result.unsuccessful_attempts;
  const AttemptResult last = attempts.empty() ? AttemptResult() : attempts.back();
  out.open('{');
  // A failure that nobody gave a cause is one all the same.
  out.key("kind").text(to_string(last.cause == Cause::none ? Cause::error : last.cause));
  out.key("exit_code").number(last.exit_code);
  write_signal(out.key("signal"), last.signal);
  out.close('}');
}

void write_attempt(JsonText& out, const AttemptResult& attempt) {
  out.open('{');
  write_attempt_fields(out, attempt);
  out.close('}');
}

void write_output(JsonText& out, const CommandOutput& output) {
  out.key("stdout").text(output.stdout_text);
  out.key("stderr").text(output.stderr_text);
  out.key("truncated").boolean(output.truncated);
  out.key("cpu_user").time(output.cpu_user);
  out.key("cpu_system").time(output.cpu_system);
  out.key("max_rss").number(output.max_rss);
}

void write_leaked(JsonText& out, const std::vector<LeakedProcess>& leaked) {
  out.open('[');
  for (const LeakedProcess& process : leaked) {
    out.open('{');
    write_leaked_fields(out, process);
    out.close('}');
  }
  out.close(']');
}

void write_result(JsonText& out, const TaskResult& result) {
  static const CommandOutput kNoOutput;
  out.take_replaced();
  out.open('{');
  out.key("task_id").text(result.task_id.text());
  out.key("name").text(result.name);
  out.key("group_id").text_or_null(result.group_id);
  out.key("status").text(to_string(result.status));
  out.key("command").text_or_null(result.command);
  write_value(out.key("value"), result);
  write_exception(out.key("exception"), result);
  out.key("attempts").number(result.attempts);
  out.key("priority").number(result.priority);
  out.key("must_complete").boolean(result.must_complete);
  out.key("detached").boolean(result.detached);
  out.key("metadata");
  result.metadata ? out.tree(*result.metadata) : out.null();
  out.key("created_at").time(result.created_at);
  out.key("started_at").time_or_null(result.started_at);
  out.key("finished_at").time(result.finished_at);
  out.key("duration").time(result.duration);
  out.key("message").text(result.message);
  const CommandOutput& output = result.output ? *result.output : kNoOutput;
  write_output(out, output);
  write_leaked(out.key("leaked"), output.leaked);
  out.key("attempt_list").open('[');
  for (const AttemptResult& attempt : result.attempt_list()) write_attempt(out, attempt);
  out.close(']');
  // Last, since only now all texts have been seen.
  if (out.take_replaced()) out.key("binary").boolean(true);
  out.close('}');
}

void flush(JsonText& json, std::ostream& out) {
  out << json.written();
  json.clear();
}

void write_results(JsonText& json, std::ostream& out, const Results& results) {
  json.open('[');
  for (std::size_t i = 0; i < results.size(); ++i) {
    json.new_line();
    json.raw(results.json(i));
    if (json.written().size() >= kWriteSize) flush(json, out);
  }
  json.close(']');
}

}  // namespace

std::string json_of(const TaskResult& result) {
  JsonText json;
  write_result(json, result);
  return json.written();
}

void write_json(std::ostream& out, const RunSummary& summary, const RunFacts& facts) {
  const Results restored = restored_of(summary, facts);
  const Results results = results_of(summary, facts);
  JsonText json;
  json.open('{');
  json.key("schema").number(1);
  json.key("name").text(facts.name);
  json.key("status").text(status_of(summary, facts));
  json.key("ok").boolean(is_ok(summary, facts));
  json.new_line();
  write_summary_counts(json, summary);
  json.new_line();
  json.key("started_at").text(rfc3339(to_wall_time(facts.started_at)));
  write_signal(json.key("interrupted_by"), facts.interrupted_by);
  json.key("restored").number(restored.size());
  write_results(json.key("restored_results"), out, restored);
  json.new_line();
  write_counts(json.key("detached"), facts.detached);
  json.key("leaked").number(facts.leaked);
  json.new_line();
  write_groups(json.key("groups"), results);
  json.new_line();
  write_results(json.key("results"), out, results);
  json.close('}');
  flush(json, out);
  out.put('\n');
}

}  // namespace osiiso::report
