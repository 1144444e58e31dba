// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "osiiso/duration.hpp"
#include "osiiso/task_handle.hpp"

namespace osiiso {

/// Says which of some tasks ended next.
class CompletionOrder {
 public:
  explicit CompletionOrder(const std::vector<AnyTaskHandle>& handles);
  CompletionOrder(CompletionOrder&&) noexcept;
  CompletionOrder& operator=(CompletionOrder&&) noexcept;
  ~CompletionOrder();

  /// Position of the task that ended next, none when all were told. Blocks until there is one, at
  /// most until the budget is used up; then throws `TimeoutError`.
  std::optional<std::size_t> next(std::optional<Duration> budget);

  /// Whether all were told.
  bool exhausted() const { return left_ == 0; }
  /// As `next` without blocking. None: `wake` is called, by whoever finishes a task, when there may
  /// be one.
  std::optional<std::size_t> try_next(std::function<void()> wake);

 private:
  std::size_t pop();

  struct State;
  std::shared_ptr<State> state_;
  std::size_t left_ = 0;
};

/// The range that `iter_completed` gives; to be walked through once.
template <typename Handle>
class Completions {
 public:
  class Iterator {
   public:
    using value_type = Handle;
    using difference_type = std::ptrdiff_t;

    explicit Iterator(Completions* range) : range_(range) {}
    const Handle& operator*() const { return range_->handles_[*range_->current_]; }
    Iterator& operator++() {
      range_->advance();
      return *this;
    }
    void operator++(int) { range_->advance(); }
    bool operator==(std::default_sentinel_t) const { return !range_->current_.has_value(); }

   private:
    Completions* range_;
  };

  Completions(std::vector<Handle> handles, std::optional<Duration> timeout)
      : handles_(std::move(handles)),
        order_({handles_.begin(), handles_.end()}),
        deadline_(deadline_after(timeout)) {}

  Iterator begin() {
    advance();
    return Iterator(this);
  }
  std::default_sentinel_t end() const { return {}; }

 private:
  using Deadline = std::optional<std::chrono::steady_clock::time_point>;

  static Deadline deadline_after(std::optional<Duration> timeout) {
    const auto now = std::chrono::steady_clock::now();
    // What is too far off to be counted never comes.
    if (!timeout || *timeout > std::chrono::steady_clock::time_point::max() - now) return {};
    return now + *timeout;
  }

  void advance() {
    std::optional<Duration> budget;
    if (deadline_) budget = *deadline_ - std::chrono::steady_clock::now();
    current_ = order_.next(budget);
  }

  std::vector<Handle> handles_;
  CompletionOrder order_;
  Deadline deadline_;
  std::optional<std::size_t> current_;
};

/// Each handle once as its task ends, those that have ended already first, in order of completion:
///
///     for (const auto& handle : osiiso::iter_completed(handles)) use(handle.value());
///
/// `timeout` is one budget for the whole iteration; past it `TimeoutError` is thrown,
/// `handles did not complete within timeout`. Does not start the queue.
template <typename Handle>
Completions<Handle> iter_completed(std::vector<Handle> handles,
                                   std::optional<Duration> timeout = {}) {
  return Completions<Handle>(std::move(handles), timeout);
}

}  // namespace osiiso
