// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <asio/co_spawn.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>

#include "osiiso/async_queue.hpp"

// An `AsyncQueue` whose calls block, so that it goes through the same tests as the other queues.
namespace osiiso::test {

template <typename T = void>
class AwaitedHandle : public TaskHandle<T> {
 public:
  using TaskHandle<T>::TaskHandle;

  ResultPtr wait(std::optional<Duration> timeout = {}) const {
    return osiiso::run(TaskHandle<T>::wait(timeout));
  }
};

template <typename T>
class AwaitedGroup : public TaskGroup<T> {
 public:
  using TaskGroup<T>::TaskGroup;

  RunSummary wait(std::optional<Duration> timeout = {}) const {
    return osiiso::run(TaskGroup<T>::wait(timeout));
  }

  std::vector<AnyAsyncTaskHandle> as_completed(std::optional<Duration> timeout = {}) const {
    return osiiso::run(all_of(TaskGroup<T>::as_completed(timeout)));
  }

 private:
  static asio::awaitable<std::vector<AnyAsyncTaskHandle>> all_of(
      AsyncCompletions<AnyAsyncTaskHandle> completed) {
    std::vector<AnyAsyncTaskHandle> handles;
    while (const auto handle = co_await completed.next()) handles.push_back(*handle);
    co_return handles;
  }
};

class AwaitedLoopQueue : public LoopQueue {
 public:
  ~AwaitedLoopQueue() {
    await(LoopQueue::shutdown(true));
    work_.reset();
    thread_.join();
  }
  AwaitedLoopQueue(const AwaitedLoopQueue&) = delete;
  AwaitedLoopQueue& operator=(const AwaitedLoopQueue&) = delete;

  void start() { await(LoopQueue::start()); }
  RunSummary run(std::optional<Duration> timeout = {}, bool strict = false) {
    return await(LoopQueue::run(timeout, strict));
  }

 protected:
  explicit AwaitedLoopQueue(const QueueOptions& options)
      : LoopQueue(options), thread_([this] { loop_.run(); }) {}

 private:
  template <typename T>
  struct Outcome {
    std::optional<detail::stored_t<T>> value = {};
    std::exception_ptr error = {};
  };

  template <typename T>
  static asio::awaitable<void> keep(asio::awaitable<T> call, Outcome<T>& outcome) {
    try {
      if constexpr (std::is_void_v<T>) {
        co_await std::move(call);
      } else {
        outcome.value.emplace(co_await std::move(call));
      }
    } catch (...) {
      outcome.error = std::current_exception();
    }
  }

  // The loop's thread has let go of the exception before the caller sees it: who owns it is
  // counted within the standard library, where ThreadSanitizer does not look.
  template <typename T>
  T await(asio::awaitable<T> call) {
    Outcome<T> outcome;
    asio::co_spawn(loop_, keep(std::move(call), outcome), asio::use_future).get();
    if (outcome.error) std::rethrow_exception(std::exchange(outcome.error, {}));
    if constexpr (!std::is_void_v<T>) return std::move(*outcome.value);
  }

  asio::io_context loop_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{loop_.get_executor()};
  std::thread thread_;
};

struct AwaitedKinds {
  using Queue = AwaitedLoopQueue;
  template <typename T>
  using Handle = AwaitedHandle<T>;
  template <typename T>
  using Group = AwaitedGroup<T>;
  template <typename T>
  using Value = T;
};

class AwaitedQueue final : public Submitting<AwaitedQueue, AwaitedKinds> {
 public:
  explicit AwaitedQueue(const QueueOptions& options = {}) : Submitting(options) {}

  template <typename Call>
  static TaskBody make_body(Call&& call) {
    return TaskBody(std::forward<Call>(call));
  }
};

}  // namespace osiiso::test
