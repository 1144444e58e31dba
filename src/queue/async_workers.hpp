// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <queue>
#include <vector>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include "queue/engine.hpp"
#include "queue/function_threads.hpp"
#include "queue/loop_event.hpp"

namespace osiiso::queue {

/// Runs a queue's attempts in an event loop: coroutines and commands in the loop itself, on one
/// strand, other functions on threads.
///
/// Thread-safe. Jointly owned by the queue, what is posted to the loop, and every attempt, so that
/// attempts can outlive the queue. What belongs to a loop (timers, strand, children) is dropped
/// when the loop's context is shut down; the attempts there end with an error.
class AsyncWorkers final : public Workers, public std::enable_shared_from_this<AsyncWorkers> {
 public:
  static std::shared_ptr<AsyncWorkers> make(std::shared_ptr<Engine> engine, int limit);
  ~AsyncWorkers() override;

  Engine& engine() { return *engine_; }

  /// Attempts may start from now on, in this executor's context. Throws `StateError` where
  /// attempts run in another one.
  void start(const asio::any_io_executor& executor);
  /// Whether this is the executor of the tasks.
  bool is_inside(const asio::any_io_executor& executor);
  /// Ends when `done` holds, which is asked again whenever nothing is outstanding.
  static asio::awaitable<void> until(std::shared_ptr<AsyncWorkers> self,
                                     std::function<bool()> done);
  /// The queue is gone.
  void release();
  /// The loop is gone.
  void detach();

  void wake() override;
  void alarm(Instant at) override;
  void replace(int worker) override;

 private:
  struct Loop;
  class Running;
  using LoopPtr = std::shared_ptr<Loop>;
  using RunningPtr = std::shared_ptr<Running>;

  // A worker's number, and which attempt of his it was.
  struct Seat {
    int worker = 0;
    std::uint64_t turn = 0;
  };

  AsyncWorkers(std::shared_ptr<Engine> engine, int limit);

  // On the loop.
  void take();
  void ring();
  void set_timer();
  void announce(const RunningPtr& running);
  void launch(const LoopPtr& loop, const RunningPtr& running);
  void call(const RunningPtr& running);
  void spawn(const LoopPtr& loop, const RunningPtr& running);
  void start_command(const LoopPtr& loop, const RunningPtr& running);

  void end(Attempt& attempt, AttemptOutcome outcome, Seat seat);
  void note_over();
  LoopPtr loop();

  // Engine's lock held.
  Seat take_seat();
  void leave_seat(Seat seat);
  void post_timer();

  const std::shared_ptr<Engine> engine_;
  const int limit_;
  FunctionThreads threads_;

  // Guarded by the engine's lock.
  LoopPtr loop_;               // null: not started
  bool wake_posted_ = false;   // `take` will be called
  bool timer_posted_ = false;  // `set_timer` will be called
  std::optional<Instant> alarm_at_;
  std::optional<Instant> gate_;       // nothing can start before, however much is ready
  std::vector<std::uint64_t> seats_;  // by worker: the turn of the attempt that sits there, or 0
  std::priority_queue<int, std::vector<int>, std::greater<>> free_;
  int busy_ = 0;
  std::uint64_t turns_ = 0;

  // Locked by itself, after the engine's.
  std::mutex waiting_mutex_;
  std::vector<std::shared_ptr<LoopEvent>> waiting_;  // for `note_over`
};

}  // namespace osiiso::queue
