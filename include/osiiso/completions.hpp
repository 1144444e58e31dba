// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
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
  /// `timeout`: what `next` may take, all calls together, from now on.
  explicit CompletionOrder(const std::vector<AnyTaskHandle>& handles,
                           std::optional<Duration> timeout = {});
  CompletionOrder(CompletionOrder&&) noexcept;
  CompletionOrder& operator=(CompletionOrder&&) noexcept;
  ~CompletionOrder();

  /// Position of the task that ended next, none when all were told. Blocks until there is one, at
  /// most until the timeout; then throws `TimeoutError`.
  std::optional<std::size_t> next();

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
  std::optional<std::chrono::time_point<std::chrono::steady_clock, Duration>> deadline_;
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
      : handles_(std::move(handles)), order_({handles_.begin(), handles_.end()}, timeout) {}

  Iterator begin() {
    advance();
    return Iterator(this);
  }
  std::default_sentinel_t end() const { return {}; }

 private:
  void advance() { current_ = order_.next(); }

  std::vector<Handle> handles_;
  CompletionOrder order_;
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
