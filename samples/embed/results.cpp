// SPDX-License-Identifier: MIT
//
// Results and summaries: what a run tells, task by task and as a whole.
#include <any>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include <osiiso/osiiso.hpp>

using namespace std::chrono_literals;

namespace {

std::string fetch(const std::string& url) {
  if (url == "api") throw std::runtime_error("Connection refused");
  return "page of " + url;
}

/// Everything that is known of one task.
void print(const osiiso::TaskResult& result) {
  std::cout << result.task_id << ' ' << result.name << ": " << to_string(result.status)
            << "\n  group '" << result.group_id << "', priority " << result.priority
            << (result.must_complete ? ", must complete" : "")
            << (result.detached ? ", detached" : "") << '\n'
            << "  " << result.attempts << " attempt(s), created at " << result.created_at / 1ms
            << " ms, ended at " << result.finished_at / 1ms << " ms, took " << result.duration / 1ms
            << " ms\n";
  if (result.value.has_value()) std::cout << "  " << std::any_cast<std::string>(result.value);
  if (result.exception) std::cout << "  " << result.message;
  std::cout << '\n';
}

void submit_some(osiiso::ThreadQueue& queue) {
  queue.group({.group_id = "api-calls"}, fetch, std::vector<std::string>{"users", "posts"});
  queue.submit({.name = "fetch-api", .retries = 2}, fetch, "api");
  queue.submit({.name = "late", .delay = 1h}, fetch, "late").cancel();
}

/// A run that throws by itself when not all is well.
bool run_strictly(osiiso::ThreadQueue& queue) {
  submit_some(queue);
  try {
    queue.run({}, /*strict=*/true);
    return true;
  } catch (const osiiso::ExecutionError& error) {
    std::cout << error.what() << '\n';
    for (const auto& result : error.results()) {
      std::cout << "  " << result->name << ": " << result->message << '\n';
    }
    return false;
  }
}

}  // namespace

int main() {
  osiiso::ThreadQueue queue({.workers = 2});
  submit_some(queue);
  const osiiso::RunSummary summary = queue.run();

  std::cout << summary.succeeded << " of " << summary.total_submitted << " succeeded, "
            << summary.failed << " failed, " << summary.cancelled << " cancelled, in "
            << summary.duration / 1ms << " ms" << (summary.timed_out ? ", timed out" : "") << '\n';
  for (const auto& result : summary.results) print(*result);

  // Values of the succeeded in submission order; the failed, the succeeded, the cancelled.
  for (const auto& value : summary.values()) {
    std::cout << std::any_cast<std::string>(value) << '\n';
  }
  std::cout << summary.errors().size() << " error(s), " << summary.successes().size()
            << " success(es), " << summary.cancellations().size() << " cancellation(s)\n";

  // By id, by name (which several may share), by group.
  const auto failed = summary.by_name().at("fetch-api").front();
  std::cout << summary.by_task_id().at(failed->task_id)->message << '\n';
  for (const auto& [group_id, results] : summary.by_group()) {
    std::cout << group_id.value_or("ungrouped") << ": " << results.size() << '\n';
  }

  summary.display(std::cout);
  bool was_thrown = false;
  try {
    summary.raise_for_errors();
  } catch (const osiiso::ExecutionError&) {
    was_thrown = true;
  }
  const bool as_expected = !summary.ok() && was_thrown && !run_strictly(queue);
  return as_expected ? 0 : 1;
}
