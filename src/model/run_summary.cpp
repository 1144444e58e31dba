// SPDX-License-Identifier: MIT
#include "osiiso/run_summary.hpp"

#include <algorithm>
#include <cassert>
#include <string_view>
#include <unordered_map>

#include "base/format.hpp"

namespace osiiso {
namespace {

ResultList with_status(const ResultList& results, Status status) {
  ResultList found;
  std::ranges::copy_if(results, std::back_inserter(found),
                       [status](const ResultPtr& result) { return result->status == status; });
  return found;
}

}  // namespace

void RunSummary::add(ResultPtr result) {
  count(*result);
  results.push_back(std::move(result));
}

void RunSummary::count(const TaskResult& result) {
  assert(is_final(result.status));
  ++total_submitted;
  if (result.status == Status::succeeded) ++succeeded;
  if (result.status == Status::failed) ++failed;
  if (result.status == Status::cancelled) ++cancelled;
}

bool RunSummary::ok() const {
  return failed == 0 && cancelled == 0 && !timed_out;
}

const char* RunSummary::status() const {
  if (timed_out) return "TIMED OUT";
  return ok() ? "PASSED" : "COMPLETED WITH ERRORS";
}

std::vector<std::any> RunSummary::values() const {
  std::vector<std::any> values;
  values.reserve(succeeded);
  for (const ResultPtr& result : results) {
    if (result->status == Status::succeeded) values.push_back(result->value);
  }
  return values;
}

ResultList RunSummary::errors() const {
  return with_status(results, Status::failed);
}
ResultList RunSummary::successes() const {
  return with_status(results, Status::succeeded);
}
ResultList RunSummary::cancellations() const {
  return with_status(results, Status::cancelled);
}

std::map<std::string, ResultPtr> RunSummary::by_task_id() const {
  std::map<std::string, ResultPtr> found;
  for (const ResultPtr& result : results) found.emplace(result->task_id.text(), result);
  return found;
}

std::map<std::string, ResultList> RunSummary::by_name() const {
  std::map<std::string, ResultList> found;
  for (const ResultPtr& result : results) found[result->name].push_back(result);
  return found;
}

std::vector<std::pair<std::optional<std::string>, ResultList>> RunSummary::by_group() const {
  std::vector<std::pair<std::optional<std::string>, ResultList>> groups;
  std::unordered_map<std::string_view, std::size_t> positions;
  for (const ResultPtr& result : results) {
    const std::string& group_id = result->group_id;
    const auto [position, is_new] = positions.try_emplace(group_id, groups.size());
    if (is_new) {
      groups.emplace_back(group_id.empty() ? std::nullopt : std::optional(group_id), ResultList());
    }
    groups[position->second].second.push_back(result);
  }
  return groups;
}

void RunSummary::raise_for_errors(bool include_cancelled) const {
  std::string text;
  if (failed > 0) text = base::format("{} task(s) failed", failed);
  if (include_cancelled && cancelled > 0) {
    text += base::format("{}{} task(s) cancelled", text.empty() ? "" : "; ", cancelled);
  }
  if (text.empty()) return;

  ResultList wrong = errors();
  if (include_cancelled) {
    std::ranges::move(cancellations(), std::back_inserter(wrong));
  }
  throw ExecutionError(text, std::move(wrong));
}

void RunSummary::raise_unless_ok() const {
  raise_for_errors(/*include_cancelled=*/true);
  if (timed_out) throw ExecutionError("run timed out", {});
}

}  // namespace osiiso
