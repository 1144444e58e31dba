// SPDX-License-Identifier: MIT
#pragma once

#include <utility>
#include <vector>

#include "osiiso/sync_queue.hpp"

namespace osiiso {

/// Runs tasks on worker threads of this process.
///
///     osiiso::ThreadQueue queue({.workers = 4});
///     auto page = queue.submit({.name = "fetch", .retries = 3}, fetch, url);
///     auto tidy = queue.submit(osiiso::Command::shell("rm -rf scratch"));
///     osiiso::RunSummary summary = queue.run();
///     summary.display(std::cout);
///     use(page.value());
///
/// A function that is to be stopped early must take a `std::stop_token` (or a `const TaskContext&`)
/// as its first parameter. One that is deaf to it is given up after its grace: its thread goes on
/// until the function returns, and its outcome is dropped.
class ThreadQueue final : public Submitting<ThreadQueue> {
 public:
  /// Throws `OptionError` where the options break a rule. Nothing is started yet.
  explicit ThreadQueue(const QueueOptions& options = {});

 private:
  friend class Submitting<ThreadQueue>;
  explicit ThreadQueue(const std::shared_ptr<queue::Engine>& engine);

  template <typename Call>
  static TaskBody make_body(Call&& call) {
    return TaskBody(std::forward<Call>(call));
  }
  /// Without arguments there is nothing to bind.
  template <typename F>
  static TaskBody make_body(BoundTask<F> call) {
    return TaskBody(std::move(call.function));
  }
};

/// Runs `function` over the items on a queue of its own and returns the values in their order.
/// Throws `ExecutionError` if a call failed or was cancelled.
template <typename F, typename Items>
auto tmap(const F& function, Items&& items, const QueueOptions& options = {}) {
  ThreadQueue queue(options);
  const auto group = queue.group(function, std::forward<Items>(items));
  queue.run();
  return group.values();
}

}  // namespace osiiso
