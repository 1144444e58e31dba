// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "base/stop_state.hpp"
#include "process/command_run.hpp"
#include "queue/worker_messages.hpp"

namespace osiiso::queue {

/// The worker's end of the connection: runs what the queue sends on the calling thread, one task
/// after the other. A stop request, or the end of the queue's process, is heard whatever the task
/// does: who waits for a command listens meanwhile; from the first function on, a second thread
/// does.
///
/// A worker never outlives its queue: when the connection ends, the task is stopped, and a function
/// that is deaf to that dies with the process.
class Worker final : private base::StopSource {
 public:
  /// `watch_parent`: the queue is in the process that started this one, whose end is noticed even
  /// where some third process holds the connection open.
  Worker(base::Descriptor socket, bool watch_parent);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Returns the exit code when the queue needs this worker no more.
  int serve();

 private:
  struct Task {
    TaskMessage message;
    std::shared_ptr<base::StopState> stop;
  };

  // Whoever listens.
  bool hear();
  bool wait_for_bytes() const;
  void receive(const Frame& frame);
  void note_end();

  // The second thread.
  void listen();
  void wait_for_end();

  // The serving thread, while there is no other.
  void bound_end();
  int descriptor() const override;
  std::optional<base::StopRequest> take() override;

  // The serving thread.
  void have_listener();
  bool can_run(const Task& task);
  template <typename Holds>
  void await(std::unique_lock<std::mutex>& lock, Holds holds);
  bool set_up();
  std::optional<Task> next_task();
  DoneMessage run(const Task& task);
  CommandHooks hooks_of(const TaskMessage& message);
  void finish_task();
  void send(const Frame& frame);
  bool wait_for_room() const;

  const base::Descriptor socket_;
  base::Descriptor parent_;  // pidfd, or none
  base::Descriptor inbox_;   // an epoll: readable when one of them is
  FrameReader reader_;       // whoever listens
  std::thread listener_;  // from the first function on, or as long as a command outlasts the queue
  Duration grace_{0};     // the serving thread's, from set_up on
  std::string run_id_;    // likewise, from the first task on: a worker has one queue

  process::CommandRunner commands_;  // likewise

  std::mutex mutex_;
  std::condition_variable changed_;

  // Guarded by mutex_.
  std::optional<SetupMessage> setup_;
  std::deque<Task> tasks_;  // the first one runs; a queue sends one at a time
  bool is_busy_ = false;
  bool is_over_ = false;        // the connection ended, or was ended
  bool was_dismissed_ = false;  // by the queue, in good order
};

}  // namespace osiiso::queue
