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
/// after the other, while a second thread listens. So a stop request, or the end of the queue's
/// process, is heard whatever the task does.
///
/// A worker never outlives its queue: when the connection ends, the task is stopped, and a function
/// that is deaf to that dies with the process.
class Worker {
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

  // The listening thread.
  void listen();
  bool wait_for_bytes() const;
  void receive(const Frame& frame);
  void end_with_the_queue();

  // The serving thread.
  bool set_up();
  std::optional<Task> next_task();
  DoneMessage run(const Task& task);
  CommandHooks hooks_of(const TaskMessage& message);
  void finish_task();
  void send(const Frame& frame);

  const base::Descriptor socket_;
  base::Descriptor parent_;  // pidfd, or none
  FrameReader reader_;       // the listening thread's
  Duration grace_{0};        // the serving thread's, from set_up on
  std::string run_id_;       // likewise, from the first task on: a worker has one queue

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
