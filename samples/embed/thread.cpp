// SPDX-License-Identifier: MIT
//
// The thread queue: functions of this program and commands, side by side.
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include <osiiso/osiiso.hpp>

using namespace std::chrono_literals;

namespace {

std::string fetch_user(const std::string& name) {
  return "user " + name;
}

int compute_stats(const std::vector<int>& data) {
  int sum = 0;
  for (const int value : data) sum += value;
  return sum;
}

}  // namespace

int main() {
  osiiso::ThreadQueue queue({.workers = 2});

  // A handle tells what becomes of its task. Waiting does not start the queue, so it comes first.
  queue.start();
  auto user = queue.submit({.name = "fetch", .retries = 3, .timeout = 5s}, fetch_user, "ada");
  std::cout << user.wait(5s)->name << ' ' << to_string(user.status()) << ": " << user.value()
            << '\n';
  auto listing = queue.submit({.name = "list"}, osiiso::Command::shell("echo one; echo two"));

  // A group: mixed calls under one identifier; their values are a tuple.
  auto pipeline = queue.group({.group_id = "pipeline"}, osiiso::bound(fetch_user, "grace"),
                              osiiso::bound(compute_stats, std::vector{1, 2, 3}));

  // One call over inputs; it starts when the pipeline has succeeded.
  auto users = queue.group({.group_id = "users", .needs = {pipeline}}, fetch_user,
                           std::vector<std::string>{"barbara", "donald"});

  const osiiso::RunSummary summary = queue.run();
  summary.display(std::cout);

  std::cout << listing.value().stdout_text;
  // One group by itself: as a summary, as values, or given up.
  pipeline.wait(30s).display(std::cout);
  const auto& [grace, stats] = pipeline.values();
  std::cout << grace << ", " << stats << '\n';
  std::cout << users.cancel() << " of " << users.size() << " could still be cancelled\n";
  for (const auto& handle : users.as_completed()) std::cout << handle.name() << " is done\n";
  for (const auto& [group_id, results] : summary.by_group()) {
    std::cout << group_id.value_or("ungrouped") << ": " << results.size() << " tasks\n";
  }
  return summary.ok() ? 0 : 1;
}
