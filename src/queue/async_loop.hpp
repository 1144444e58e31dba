// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <memory>
#include <optional>

#include <asio/any_io_executor.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>

#include "base/stop_state.hpp"
#include "process/child_set.hpp"
#include "process/launch_pad.hpp"
#include "process/start_patience.hpp"
#include "queue/async_workers.hpp"

namespace osiiso::queue {

/// What belongs to the loop that tasks run in. Used on its strand, but for the strand itself.
struct AsyncWorkers::Loop : std::enable_shared_from_this<Loop> {
  using Strand = asio::strand<asio::any_io_executor>;

  explicit Loop(const asio::any_io_executor& executor);

  /// Starts the attempt's command, in its turn, as soon as the system has what that takes.
  void start_child(const RunningPtr& running);
  /// Whether it was one of those that wait for that; now it is none.
  bool forget_start(const Running& running);
  void stop_child(process::ChildSet::Id id, const base::StopRequest& request);
  asio::execution_context& context;
  Strand strand;
  asio::steady_timer alarm;
  bool is_initialized = false;

 private:
  void step();
  void watch();
  void start_waiting();
  void try_again_at(Instant at);
  process::ChildSet& children();
  std::unique_ptr<process::ChildRun> make_child(const Running& running);
  void on_end(const RunningPtr& running, process::ChildResult result);
  void start_again(const RunningPtr& running, const SystemError& why_not);
  void follow(const RunningPtr& running, std::unique_ptr<process::ChildRun> child);

  process::LaunchPad launch_pad_;
  std::optional<process::ChildSet> children_;
  std::optional<asio::posix::stream_descriptor> ready_;
  asio::steady_timer child_timer_;
  std::optional<Instant> child_deadline_;
  bool is_watching_ = false;

  std::deque<RunningPtr> starting_;                 // those whose commands wait to be started
  std::optional<process::StartPatience> patience_;  // while nothing can be started
  asio::steady_timer start_timer_;
};

/// An attempt from its start to its end. Ends, at the latest, when nobody has it any more.
class AsyncWorkers::Running final : public base::Waker,
                                    public std::enable_shared_from_this<Running> {
 public:
  Running(std::shared_ptr<AsyncWorkers> workers, Attempt attempt, Seat seat);
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  const Attempt& attempt() const { return attempt_; }
  /// Reports the end; a second one is dropped.
  void finish(AttemptOutcome outcome);

  // Of those that run in the loop.

  /// Stop requests are carried out there from now on.
  void listen(const LoopPtr& loop);
  asio::cancellation_slot slot() { return signal_.slot(); }
  void set_child(std::optional<process::ChildSet::Id> id) { child_ = id; }
  /// As is requested.
  void stop();

 private:
  void wake() noexcept override;

  const std::shared_ptr<AsyncWorkers> workers_;
  Attempt attempt_;
  const Seat seat_;
  std::weak_ptr<Loop> loop_;
  std::optional<Loop::Strand> strand_;
  asio::cancellation_signal signal_;
  std::optional<process::ChildSet::Id> child_;
  bool ended_ = false;
};

}  // namespace osiiso::queue
