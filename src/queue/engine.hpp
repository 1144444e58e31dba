// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "osiiso/batch.hpp"
#include "osiiso/queue_options.hpp"
#include "osiiso/queue_stats.hpp"
#include "osiiso/run_summary.hpp"

#include "base/stop_state.hpp"
#include "base/table.hpp"
#include "queue/attempt.hpp"
#include "queue/posted_batch.hpp"
#include "queue/record.hpp"
#include "scheduler/core.hpp"

namespace osiiso::queue {

/// An attempt that the core has started, with what it takes to run it outside the engine's lock.
struct Attempt {
  RecordPtr record;
  TaskBody body;  // shared with the record, which lets go of it when the task is final
  RecorderPtr recorder;
  std::shared_ptr<base::StopState> stop;  // that of the context; null once its end is reported
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

/// What became of a batch, in its order.
struct Accepted {
  std::vector<RecordPtr> tasks;
  std::vector<GroupPtr> groups;
};

/// The part that all queues share: holds the records, drives the core under one lock, carries out
/// what the core decides, collects the results, calls the hooks.
///
/// A run: `submit`*, `begin_run`, then `end` and `next` by the workers and `tick` by whoever keeps
/// the time, each inside a `Turn`, while one caller sits in `finish_run`.
///
/// Thread-safe; what takes a `Turn` is called by its holder.
class Engine {
 public:
  using Lock = std::unique_lock<std::mutex>;

  /// The engine's lock, held for one step. At its end what the core decided has been carried out
  /// and, outside the lock, the hooks that are due are called.
  class Turn {
   public:
    explicit Turn(Engine& engine) : engine_(engine), lock_(engine.lock_soon()) {
      engine_.now_ = base::now();
    }
    ~Turn() {
      engine_.settle();
      engine_.deliver(lock_);
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    Lock& lock() { return lock_; }

   private:
    Engine& engine_;
    Lock lock_;
  };

  /// Options must be valid; `workers` is the most attempts at the same time.
  Engine(const QueueOptions& options, int workers);

  /// Whom to tell; null from the moment when they are gone.
  void attach(Workers* workers);
  /// For workers that can end whatever they run, so that no attempt is ever given up: bodies are
  /// accepted that `require` lets pass. Before anything is submitted.
  void restrict_bodies(void (*require)(const TaskBody&)) { require_body_ = require; }
  const QueueOptions& options() const { return options_; }

  // For those who submit and wait.

  /// Waits for room where the queue is bounded; or, unless `wait_for_room`, throws
  /// `QueueFullError`.
  RecordPtr submit(TaskOptions options, TaskBody body, bool wait_for_room = true);
  /// The same with default options, for less.
  RecordPtr submit(TaskBody body, bool wait_for_room = true);
  /// `wait_for_room` false: throws `QueueFullError` where the batch does not fit as a whole.
  Accepted submit(Batch batch, bool wait_for_room = true);
  /// The same for those who need none of the records: then a task has none before there is
  /// something to note about it.
  void post(Batch batch, bool wait_for_room = true);

  bool cancel(const RecordPtr& record);
  Status status(const TaskRecord& record) const;
  int attempts(const TaskRecord& record) const;
  std::string name(const TaskRecord& record) const;
  std::string run_id() const;
  TaskId task_id(const TaskRecord& record) const;
  /// Null until the task is final.
  ResultPtr result(const RecordPtr& record) const;
  /// The same, after at most `timeout` (none: as long as it takes).
  ResultPtr wait(const RecordPtr& record, std::optional<Duration> timeout) const;
  /// Calls `callback` when the task is final, at once where it is. What it throws goes to the
  /// error hook.
  void on_done(const RecordPtr& record, std::function<void()> callback);
  /// Position among all finished tasks, from 1; 0 until the task is final.
  std::uint64_t finish_order(const TaskRecord& record) const;
  QueueStats stats() const;
  /// The longest-running attempt first.
  std::vector<RunningTask> running() const;

  // The run.

  /// Attempts may start from now on; the instant that a run's times count from.
  void note_started();
  /// Starts the run's timeout. Throws as `SyncQueue::run` does.
  void begin_run(std::optional<Duration> timeout);
  /// Blocks until the run is over; returns what came of it and makes ready for the next one.
  /// Throws what a worker's initializer threw.
  RunSummary finish_run();
  void halt(int signal, std::optional<Duration> grace);
  void kill();
  /// A worker cannot work: cancels everything, and the run ends with this error.
  void fail(std::exception_ptr error);
  /// Refuses further tasks and runs.
  void close();
  /// Throws `ClosedError` after `close`.
  void require_not_closed() const;
  /// Blocks until nothing is outstanding.
  void wait_until_idle();
  /// Whether this is called from within a hook or done callback, which would wait for itself.
  bool calls_hooks_here() const;
  /// Cancels what is pending, forgets all results and opens a closed queue again. Throws
  /// `StateError` during a run.
  void reset();

  // The same for those who must not block.

  /// `on_over` is called, with the lock held, when the run may be over or nothing outstanding.
  void on_over(std::function<void()> on_over);
  /// As `finish_run`; none where the run is not over.
  std::optional<RunSummary> try_finish_run();
  /// Whoever was to finish the run has gone: its results are reported by the next one.
  void leave_run();
  /// As `wait_until_idle`; false where something is outstanding.
  bool try_join();
  /// `reset` in two steps; the second returns false as long as something is outstanding.
  void begin_reset();
  bool try_finish_reset();

  // For the workers.

  /// The next attempt to start, counted as started.
  scheduler::Next next(Turn& turn);
  Attempt start(const scheduler::Start& start, int worker, Turn& turn);
  /// Calls `prepare`, which makes the worker ready for the attempt. That is not the attempt's time,
  /// unless it takes more than a minute. Without the lock. False where it throws: then everything
  /// is cancelled, the attempt too, and the run ends with that error.
  bool make_ready(const Attempt& attempt, const std::function<void()>& prepare);
  /// Has a success recorded. To be called before the end is reported, without the lock.
  void record(const Attempt& attempt, const AttemptOutcome& outcome);
  /// Reports the end of an attempt, and lets go of its recorder: when the run is over, what keeps
  /// results is nobody's any more, and can be opened again. Its context is not to be used any more.
  void end(Attempt& attempt, AttemptOutcome&& outcome, Turn& turn);
  /// Does what is due.
  void tick(Turn& turn);
  /// Whether another attempt could start, were a worker free. Lock held.
  bool startable() const { return core_.startable(); }
  /// Whether hooks wait for the end of this turn. Lock held.
  bool has_notices() const { return has_untold() && !delivering_; }
  /// Calls `on_start`, once the earlier hooks about the task have been called. Without the lock.
  void announce(const Attempt& attempt);
  /// The same without waiting: `then` is called afterwards, by whoever calls the hooks.
  void announce(const Attempt& attempt, std::function<void()> then);
  /// When `tick` has something to do. Lock held.
  std::optional<Instant> next_due() const { return core_.next_due(); }

 private:
  /// What stands for a task; a null record where no task has the index.
  using Slot = std::variant<RecordPtr, Posted>;

  /// A task that has ended, which its record does not know yet.
  struct Unconcluded {
    scheduler::Finished effect;
    Instant at;
  };

  std::shared_ptr<const OptionSet> option_set(std::shared_ptr<const TaskOptions> options,
                                              bool is_command);
  std::shared_ptr<const OptionSet> option_set(TaskOptions options, bool is_command);
  template <typename SetOf>
  void submit_record(const RecordPtr& record, const std::vector<TaskNeed>& needs,
                     const SetOf& set_of, bool wait_for_room);
  void require_callable(const TaskBody& body) const;
  void require_open(const OptionSet& set) const;
  /// Whether so many further tasks may be outstanding.
  bool fits(std::size_t tasks) const;
  [[noreturn]] void throw_full() const;
  /// What the core is to know of a task, and what stands for it here.
  scheduler::TaskIndex add_to_core(const OptionSet& set, std::optional<scheduler::GroupIndex> group,
                                   scheduler::Scope finally, Slot slot);
  void note_submission(TaskRecord& record, std::shared_ptr<const OptionSet> set,
                       std::uint64_t number, Instant at);
  GroupPtr named_group(const std::string& group_id);
  void require_own(const std::vector<TaskNeed>& needs) const;
  void link_needs(const RecordPtr& record, const std::vector<TaskNeed>& needs);
  void accept(scheduler::TaskIndex index);

  Accepted hand_in(Batch batch, bool wait_for_room, bool with_records);
  void choose_sets(PostedBatch& batch);
  std::vector<GroupPtr> add_groups(const std::vector<Batch::GroupEntry>& groups);
  std::vector<scheduler::TaskIndex> add_to_core(PostedBatches::iterator posted);
  void link_needs(const PostedBatch& batch, const std::vector<Batch::GroupEntry>& groups,
                  const std::vector<scheduler::TaskIndex>& indices);
  void accept_all(const std::vector<scheduler::TaskIndex>& indices,
                  std::vector<RestoredTask> restored);
  void restore(TaskRecord& record, std::any value);
  void release(PostedBatches::iterator posted);
  void make_record_of(Posted place, scheduler::TaskIndex index);
  void note_submission(const Posted& place, scheduler::TaskIndex index, const RecordPtr& record);

  Lock lock_soon();
  void settle();
  void deliver(Lock& lock);
  void carry_out(const scheduler::StopRequested& effect);
  void carry_out(const scheduler::Abandoned& effect);
  void carry_out(const scheduler::RetryScheduled& effect);
  void carry_out(const scheduler::Finished& effect);
  bool can_wait(const scheduler::Finished& effect) const;
  void conclude(const Unconcluded& ended);
  /// Whether somebody keeps the time, and will as long as something is to be told.
  bool can_go_on_later() const { return workers_ != nullptr && started_at_ && !closed_; }
  void carry_out(const scheduler::Halted& effect);

  void count_timeout_from(const Attempt& attempt, Instant from);
  void note_attempt(TaskRecord& record, scheduler::Verdict verdict, AttemptOutcome&& outcome);
  /// Whether the end of this attempt would decide about the task.
  bool is_under_way(const Attempt& attempt) const;
  void note_end(const RecordPtr& record, const RecorderPtr& recorder);
  void complete_result(TaskRecord& record, const Unconcluded& ended);
  std::string cancel_message(const scheduler::Finished& effect);
  /// Made now, where there was none yet.
  const RecordPtr& record(scheduler::TaskIndex index);
  /// Null where there is none.
  const TaskRecord* known_record(scheduler::TaskIndex index) const;
  /// Whether its run is over.
  bool is_released(const RecordPtr& task) const { return known_record(task->index) != task.get(); }
  Duration since_start(Instant at) const;
  bool run_is_over() const;
  bool is_idle() const;
  void tell_if_over();
  RunSummary collect();
  void begin_halt(scheduler::Halt halt, StopCause cause);
  void end_halt();
  void forget_all();
  void let_go(const RecordPtr& record);
  RunSummary conclude_run();
  HookTask hook_task(const TaskRecord& record, int attempt) const;
  void notify(const RecordPtr& record, std::function<void()> call);
  void notify_submitted(scheduler::TaskIndex index);
  bool has_untold() const { return !notices_.empty() || !unconcluded_.empty(); }
  bool hears_attempts() const { return options_.hooks.on_start || options_.hooks.on_spawn; }
  void call_guarded(const std::function<void()>& hook) const noexcept;

  // Something to be called outside the lock; in a queue, since each task's have an order.
  struct Notice {
    RecordPtr record;  // null: about the run
    std::function<void()> call;
  };

  // Fixed after construction.
  const QueueOptions options_;
  CommandHooks command_hooks_;    // those of the options, guarded
  const std::uint64_t key_high_;  // random: the run's id and the root of the task ids
  const std::uint64_t key_low_;
  const std::string run_id_;
  const std::shared_ptr<const TaskOptions> defaults_ = std::make_shared<const TaskOptions>();

  void (*require_body_)(const TaskBody&) = nullptr;

  mutable std::mutex mutex_;
  mutable std::condition_variable finished_;  // a task became final
  std::condition_variable over_;              // the run is over, or nothing is outstanding
  std::condition_variable delivered_;         // a hook was called

  // Guarded by mutex_.
  Instant now_;  // when the turn under way began
  scheduler::Core core_;
  Workers* workers_ = nullptr;
  PostedBatches posted_;     // with tasks that have no record
  base::Table<Slot> slots_;  // by TaskIndex
  // By worker, of its last attempt, and its next one's where nobody else has it.
  std::vector<std::shared_ptr<base::StopState>> stops_;
  std::vector<const TaskRecord*> at_work_;  // by worker: whose attempt it runs, or null
  std::vector<GroupPtr> groups_;            // by GroupIndex
  std::vector<GroupPtr> run_groups_;        // to be released after the run
  GroupPtr last_named_group_;
  std::vector<scheduler::TaskIndex> accepted_;  // since the last run, in order
  RunSummary let_go_;  // counts those since the last run that were forgotten, and so are not there
  std::shared_ptr<const OptionSet> last_command_set_;  // most tasks share their options
  std::shared_ptr<const OptionSet> last_function_set_;
  std::uint64_t next_sequence_ = 0;
  // Of the halt that the core tells of next; none: nobody else is to hear of that.
  std::optional<StopCause> halt_cause_ = StopCause::fail_first;
  std::optional<Instant> started_at_;
  std::function<void()> on_over_;
  std::exception_ptr error_;  // of an initializer
  std::deque<Notice> notices_;
  std::deque<Unconcluded> unconcluded_;  // what can wait until it is told of
  std::uint64_t finished_count_ = 0;
  mutable int waiters_ = 0;  // in finished_
  bool delivering_ = false;  // one thread is calling hooks, and takes those that come meanwhile
  bool running_ = false;
  bool closed_ = false;
  int stop_signal_ = SIGTERM;
  std::optional<Duration> stop_grace_;  // of a halt; none: each task's own
};

}  // namespace osiiso::queue
