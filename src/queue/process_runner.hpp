// SPDX-License-Identifier: MIT
#pragma once

#include <any>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "osiiso/command.hpp"
#include "osiiso/queue_options.hpp"

#include "base/clock.hpp"
#include "base/poll.hpp"
#include "queue/attempt_runner.hpp"
#include "queue/worker_messages.hpp"
#include "queue/worker_process.hpp"

namespace osiiso::queue {

/// Has attempts run by a worker process: starts it when there is first something to run, replaces
/// it when it has died or was killed.
///
/// Sending, running and answering are one wait, which a stop request ends: it is passed on, and a
/// worker that does not answer within the grace is killed. So the end of an attempt is always the
/// end of what it did.
class ProcessRunner final : public AttemptRunner {
 public:
  /// `initializer`: its place in the program's image, 0: none.
  ProcessRunner(std::uint64_t initializer, Duration grace)
      : initializer_(initializer), grace_(grace), needs_listener_(initializer != 0) {}
  /// Lets the worker end by itself.
  ~ProcessRunner() override;

  bool is_ready() override;
  /// Sees to it that there is a worker, unless a stop is requested, or the system lacks what one
  /// takes: then `run` says so. Throws what its initializer threw, and where no worker can be
  /// started.
  void prepare(const TaskContext& context) override;
  std::any run(const TaskBody& body, const TaskContext& context) override;
  /// Ends what commands left behind on purpose, and with it the worker process that cares for it.
  void end_run() override;

 private:
  enum class Start { ready, died, stopped };
  void start_worker(const TaskContext& context);
  void drop_worker();
  void make_room();
  Start start_patiently(const TaskContext& context);
  Start start_once(const TaskContext& context);
  Start shake_hands(const TaskContext& context);
  void set_up(const Frame& hello);
  std::optional<DoneMessage> run_task(const TaskBody& body, const TaskContext& context);

  const std::uint64_t initializer_;
  const Duration grace_;

  std::mutex mutex_;  // the end of a run may come from any thread
  std::unique_ptr<WorkerProcess> worker_;
  std::optional<CommandError> refusal_;  // why there is none
  std::uint64_t number_ = 0;             // of the last attempt
  bool needs_listener_;                  // of the next worker process
  // The marks of tasks whose commands left something behind on purpose, in the care of this worker
  // process, or in nobody's since theirs died.
  std::vector<std::string> keeping_;
  std::vector<std::string> orphaned_;
};

}  // namespace osiiso::queue
