// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "osiiso/hooks.hpp"
#include "osiiso/run_summary.hpp"

#include "base/clock.hpp"
#include "report/json_text.hpp"
#include "report/run_facts.hpp"

namespace osiiso::report {

/// The longest line of an event: what a pipe takes in one piece (PIPE_BUF). Texts of a user are cut
/// for it, with `…` at the end.
constexpr std::size_t kLongestEvent = 4096;

/// The JSON Schema of an event.
std::string_view event_schema();

/// What happens in a run as lines of JSON, see docs/events.md. Told by a queue's hooks, whose names
/// stand beside the functions; in between it knows of the tasks that run or are to be retried.
/// Thread-safe.
class EventStream {
 public:
  /// `take` is given each line, with the newline, as soon as it is known and in the order of `seq`;
  /// it must neither block nor throw.
  explicit EventStream(std::function<void(std::string_view line)> take) : take_(std::move(take)) {}

  /// First of all. `total`: the number of tasks, none where it is not known yet.
  void begin(std::string run_id, std::string_view name, std::string_view queue,
             std::optional<std::size_t> total);

  void task_submitted(const SubmittedTask& task);                                // on_submit
  void attempt_started(const TaskContext& attempt, int pid);                     // on_spawn
  void attempt_failed(const FailedAttempt& task, const AttemptResult& attempt);  // on_retry
  void task_finished(const TaskResult& result);                                  // on_complete
  void run_stopping(const RunStop& stop);                                        // on_stop

  /// A process that no task can be named for.
  void process_leaked(const LeakedProcess& process);
  /// Last of all.
  void end(const RunSummary& summary, const RunFacts& facts);

 private:
  /// What was told of a task's attempts.
  struct Told {
    int started = 0;  // the last attempt
    int finished = 0;
    std::size_t leaked = 0;
  };

  // Lock held. An event is opened, filled and closed.
  JsonText& open(std::string_view type);
  JsonText& open(std::string_view type, std::string_view task_id, std::string_view name);
  void close();
  void tell_started(std::string_view task_id, std::string_view name, int attempt, int worker,
                    std::optional<int> pid);
  void tell_end(Told& told, std::string_view task_id, std::string_view name,
                const AttemptResult& attempt, Status status);
  void tell_leaked(Told& told, std::string_view task_id, std::string_view name,
                   const CommandOutput* output);
  void tell_leaked(std::string_view task_id, std::string_view name, const LeakedProcess& process);

  const std::function<void(std::string_view line)> take_;

  std::mutex mutex_;
  // Guarded by mutex_.
  JsonText json_;
  std::string run_id_;
  base::Instant started_at_;
  std::uint64_t next_seq_ = 0;
  std::unordered_map<std::string, Told> told_;  // by task id
};

}  // namespace osiiso::report
