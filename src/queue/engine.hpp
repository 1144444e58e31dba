// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "osiiso/batch.hpp"
#include "osiiso/queue_options.hpp"
#include "osiiso/run_summary.hpp"

#include "queue/attempt.hpp"
#include "queue/record.hpp"
#include "scheduler/core.hpp"

namespace osiiso::queue {

/// An attempt that the core has started, with what it takes to run it outside the engine's lock.
struct Attempt {
  RecordPtr record;
  TaskBody body;  // shared with the record, which lets go of it when the task is final
  TaskContext context;
};

/// What the engine asks of whatever runs attempts (threads, processes, a loop). Called with the
/// engine's lock held: must neither block nor call back.
class Workers {
 public:
  virtual ~Workers() = default;
  /// Attempts may be there to start.
  virtual void wake() = 0;
  /// `Engine::tick` is to be called at this instant at the latest.
  virtual void alarm(Instant at) = 0;
  /// The attempt of this worker was given up: it does not come back, another must take its place.
  virtual void replace(int worker) = 0;
};

/// The part that all queues share: holds the records, drives the core under one lock, carries out
/// what the core decides, collects the results.
///
/// A run: `submit`*, `begin_run`, then `next` and `end` by the workers and `tick` by whoever keeps
/// the time, while one caller sits in `finish_run`.
///
/// Thread-safe; what says so is called with the lock held.
class Engine {
 public:
  using Lock = std::unique_lock<std::mutex>;

  /// Options must be valid; `workers` is the most attempts at the same time.
  Engine(const QueueOptions& options, int workers);

  /// Whom to tell; null from the moment when they are gone.
  void attach(Workers* workers);
  const QueueOptions& options() const { return options_; }

  // For those who submit and wait.

  /// Waits for room where the queue is bounded.
  RecordPtr submit(TaskOptions options, TaskBody body);
  std::vector<RecordPtr> submit(Batch batch);
  /// Whether `submit` would have to wait.
  bool is_full() const;

  bool cancel(const RecordPtr& record);
  Status status(const TaskRecord& record) const;
  int attempts(const TaskRecord& record) const;
  std::string name(const TaskRecord& record) const;
  std::string task_id(const TaskRecord& record) const;
  /// Null until the task is final. `timeout`: how long to wait for it.
  ResultPtr result(const TaskRecord& record) const;
  ResultPtr wait(const TaskRecord& record, std::optional<Duration> timeout) const;

  // The run.

  /// Attempts may start from now on; the instant that a run's times count from.
  void note_started();
  /// Starts the run's timeout. Throws as `ThreadQueue::run` does.
  void begin_run(std::optional<Duration> timeout);
  /// Blocks until the run is over; returns what came of it and makes ready for the next one.
  RunSummary finish_run();
  void halt(int signal, std::optional<Duration> grace);
  void kill();
  /// Refuses further tasks and runs.
  void close();
  /// Blocks until nothing is outstanding.
  void wait_until_idle();

  // For the workers.

  Lock lock() const { return Lock(mutex_); }
  /// The next attempt to start, counted as started. Lock held.
  scheduler::Next next();
  /// Lock held.
  Attempt start(const scheduler::Start& start, int worker);
  /// Lock held.
  void end(const Attempt& attempt, AttemptOutcome outcome);
  /// Does what is due. Lock held.
  void tick();
  /// Whether another attempt could start, were a worker free. Lock held.
  bool startable() const { return core_.startable(); }

 private:
  RecordPtr make_record(std::string name, std::shared_ptr<const OptionSet> set, TaskBody body);
  std::shared_ptr<const OptionSet> option_set(std::shared_ptr<const TaskOptions> options,
                                              bool is_command);
  void require_open(const OptionSet& set) const;
  void add_to_core(const RecordPtr& record, std::optional<scheduler::GroupIndex> group,
                   scheduler::Scope finally);
  std::vector<scheduler::GroupIndex> add_groups(const std::vector<Batch::GroupEntry>& groups);
  std::shared_ptr<const std::string> group_name(const std::string& given) const;

  void settle();
  void carry_out(const scheduler::StopRequested& effect);
  void carry_out(const scheduler::Abandoned& effect);
  void carry_out(const scheduler::RetryScheduled& effect);
  void carry_out(const scheduler::Finished& effect);
  void carry_out(const scheduler::Halted& effect);

  void note_attempt(TaskRecord& record, scheduler::Verdict verdict, AttemptOutcome outcome);
  ResultPtr make_result(TaskRecord& record, const scheduler::Finished& effect) const;
  std::string cancel_message(const scheduler::Finished& effect) const;
  const RecordPtr& record(scheduler::TaskIndex index) const;
  Duration since_start(Instant at) const;
  bool run_is_over() const;
  RunSummary collect();

  // Fixed after construction.
  const QueueOptions options_;
  const std::uint64_t key_high_;  // random: the run's id and the root of the task ids
  const std::uint64_t key_low_;

  mutable std::mutex mutex_;
  mutable std::condition_variable finished_;  // a task became final
  std::condition_variable over_;              // the run is over, or nothing is outstanding

  // Guarded by mutex_.
  scheduler::Core core_;
  Workers* workers_ = nullptr;
  std::vector<RecordPtr> records_;                          // by TaskIndex
  std::vector<std::shared_ptr<const std::string>> groups_;  // by GroupIndex
  std::vector<scheduler::GroupIndex> run_groups_;           // to be released after the run
  std::vector<RecordPtr> accepted_;                         // since the last run, in order
  std::shared_ptr<const OptionSet> last_command_set_;       // most tasks share their options
  std::shared_ptr<const OptionSet> last_function_set_;
  std::uint64_t next_sequence_ = 0;
  std::optional<Instant> started_at_;
  mutable int waiters_ = 0;  // in finished_
  bool running_ = false;
  bool closed_ = false;
  int stop_signal_ = SIGTERM;
  std::optional<Duration> stop_grace_;  // of a halt; none: each task's own
};

}  // namespace osiiso::queue
