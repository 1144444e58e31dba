// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "osiiso/error.hpp"

#include "queue/attempt_runner.hpp"
#include "queue/sync_workers.hpp"

namespace osiiso::queue {

/// The threads that run a queue's attempts, or have them run by what `make_runner` makes for each,
/// made as they are needed; and one that keeps the time. Where the system lacks threads, those that
/// there are do the work, and the missing ones are tried again; where there is none for ten
/// seconds, the run ends with that error.
///
/// Thread-safe. The threads own the engine jointly, so that one which was abandoned in a deaf
/// function can return after the queue is gone.
class ThreadWorkers final : public SyncWorkers {
 public:
  ThreadWorkers(std::shared_ptr<Engine> engine, int limit, MakeRunner make_runner);
  /// Every attempt must be final or abandoned.
  ~ThreadWorkers() override;

  /// Throws `SystemError` where not even the thread that keeps the time can be had.
  void start() override;

  bool is_worker_thread() const override;

  void end_run() override;

  void wake() override;
  void alarm(Instant at) override;
  void replace(int worker) override;

 private:
  // Shared with the thread that sits there, which may be abandoned and outlive this object.
  struct Seat {
    int worker = 0;
    bool abandoned = false;
    std::weak_ptr<AttemptRunner> runner = {};  // the thread's own
  };

  // What a worker did since its last turn.
  enum class Rest { none, lingered, slept };

  // Why there is not a single thread for work that could start, and since when.
  struct Lack {
    SystemError failure;
    Instant since;
  };

  void add_thread();
  int thread_count() const;
  std::optional<SystemError> give_up_threads();
  void seat_thread(int worker);
  void serve(const Seat& seat, AttemptRunner& runner);
  bool make_ready(AttemptRunner& runner, const Attempt& attempt) const;
  std::optional<Attempt> start_next(const Seat& seat, Engine::Turn& turn);
  Rest wait_for_work(Engine::Turn& turn, Rest rested, AttemptRunner& runner);
  void linger() const;
  void keep_time();
  bool wait_for_alarm();

  const std::shared_ptr<Engine> engine_;
  const int limit_;
  const MakeRunner make_runner_;

  // Guarded by the engine's lock.
  std::condition_variable work_;
  bool started_ = false;
  bool stopping_ = false;
  int idle_ = 0;
  int woken_ = 0;           // notified and not in their next turn yet
  bool lingering_ = false;  // one worker looks at `called_` for a while
  std::vector<std::shared_ptr<Seat>> seats_;
  std::vector<std::thread> threads_;  // by worker
  std::vector<int> vacant_;           // workers that have no thread
  std::optional<Lack> lack_;
  std::thread timekeeper_;

  // Taken inside a turn, never around one: who keeps the time takes a turn only when it is due.
  std::mutex time_mutex_;
  std::condition_variable time_;
  std::optional<Instant> alarm_at_;
  bool time_is_over_ = false;

  std::atomic<bool> called_ = false;  // whoever lingers is to take a turn
};

}  // namespace osiiso::queue
