// SPDX-License-Identifier: MIT
#include "osiiso/completions.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "base/clock.hpp"
#include "queue/engine.hpp"

namespace osiiso {

// Shared with the callbacks, which may come after the iteration was given up.
struct CompletionOrder::State {
  std::mutex mutex;
  std::condition_variable came;
  std::deque<std::size_t> ended;
  std::function<void()> wake;  // called once
};

CompletionOrder::CompletionOrder(const std::vector<AnyTaskHandle>& handles,
                                 std::optional<Duration> timeout)
    : state_(std::make_shared<State>()), left_(handles.size()) {
  if (timeout) deadline_ = base::saturating_add(base::now(), std::max(*timeout, Duration{0}));
  // Those that have ended, in their order, and only then the others, which may be ending now.
  std::vector<std::pair<std::uint64_t, std::size_t>> ended;
  std::vector<std::size_t> pending;
  for (std::size_t i = 0; i < handles.size(); ++i) {
    const auto order = handles[i].engine_->finish_order(*handles[i].record_);
    if (order > 0) {
      ended.emplace_back(order, i);
    } else {
      pending.push_back(i);
    }
  }
  std::sort(ended.begin(), ended.end());
  for (const auto& [order, index] : ended) state_->ended.push_back(index);
  for (const auto index : pending) {
    handles[index].on_done([state = state_, index](const AnyTaskHandle&) {
      std::function<void()> wake;
      {
        const std::lock_guard lock(state->mutex);
        state->ended.push_back(index);
        state->came.notify_one();
        wake = std::exchange(state->wake, nullptr);
      }
      if (wake) wake();
    });
  }
}

CompletionOrder::CompletionOrder(CompletionOrder&&) noexcept = default;
CompletionOrder& CompletionOrder::operator=(CompletionOrder&&) noexcept = default;
CompletionOrder::~CompletionOrder() = default;

std::optional<std::size_t> CompletionOrder::next() {
  if (left_ == 0) return {};
  std::unique_lock lock(state_->mutex);
  const auto has_come = [&] { return !state_->ended.empty(); };
  if (!deadline_) {
    state_->came.wait(lock, has_come);
  } else if (!base::wait_until(state_->came, lock, *deadline_, has_come)) {
    throw TimeoutError("handles did not complete within timeout");
  }
  return pop();
}

std::optional<std::size_t> CompletionOrder::try_next(std::function<void()> wake) {
  if (left_ == 0) return {};
  const std::lock_guard lock(state_->mutex);
  if (!state_->ended.empty()) return pop();
  state_->wake = std::move(wake);
  return {};
}

std::size_t CompletionOrder::pop() {
  const auto index = state_->ended.front();
  state_->ended.pop_front();
  --left_;
  return index;
}

}  // namespace osiiso
