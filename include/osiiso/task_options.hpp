// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "osiiso/duration.hpp"

namespace osiiso {

/// Why an attempt did not succeed.
enum class Cause {
  none,     ///< it succeeded, or was cancelled
  exit,     ///< a command ended with an exit code that is not among its `ok_codes`
  signal,   ///< a command was killed by a signal that osiiso did not send
  timeout,  ///< the attempt passed its `timeout`
  spawn,    ///< a command could not be started
  worker,   ///< the worker process died
  leak,     ///< the command left processes behind, and its `leak` is `fail`
  error,    ///< a function threw
};

/// The word that reports use: `exit`, `signal`, ...; `none` gives an empty text.
const char* to_string(Cause cause);

/// Any number of causes: `{Cause::exit, Cause::timeout}`.
class CauseSet {
 public:
  constexpr CauseSet(std::initializer_list<Cause> causes = {}) {
    for (const Cause cause : causes) insert(cause);
  }

  constexpr void insert(Cause cause) { bits_ |= bit(cause); }
  constexpr bool contains(Cause cause) const { return (bits_ & bit(cause)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  /// A bit for each cause, by its value.
  constexpr unsigned bits() const { return bits_; }
  bool operator==(const CauseSet&) const = default;

 private:
  static constexpr unsigned bit(Cause cause) { return 1U << static_cast<unsigned>(cause); }

  unsigned bits_ = 0;
};

/// Which failures are tried again, while `retries` are left. The default is every cause but
/// `spawn`, for a program that is not there will not be there a moment later.
struct RetryOn {
  /// The causes that are retried.
  CauseSet causes = {Cause::exit,   Cause::signal, Cause::timeout,
                     Cause::worker, Cause::leak,   Cause::error};
  /// Exit codes that are retried even where `causes` has no `exit`.
  std::vector<int> exit_codes = {};

  bool matches(Cause cause, std::optional<int> exit_code) const;
  bool operator==(const RetryOn&) const = default;
};

/// Data of the user's own that osiiso carries to the handle and the result and never reads.
using Metadata = std::shared_ptr<const nlohmann::json>;

namespace queue {
class Engine;
struct TaskRecord;
struct GroupRecord;
}  // namespace queue

/// A task or a group that must have succeeded before another task starts. Made from a handle or a
/// group of the same queue.
struct TaskNeed {
  std::shared_ptr<queue::Engine> engine;
  std::shared_ptr<queue::TaskRecord> task;    ///< this, or
  std::shared_ptr<queue::GroupRecord> group;  ///< this

  bool operator==(const TaskNeed&) const = default;
};

/// How one task is to be run. A plain value: copy it, change the copy, use both.
///
///     queue.submit({.name = "fetch", .retries = 3, .timeout = 5s}, fetch, url);
///
/// The rules are checked by `validate()`, which every submission calls.
struct TaskOptions {
  // The `= {}` keep GCC from warning of members that designated initialisers leave out.

  /// What reports call the task. Empty: derived from the callable or command.
  std::string name = {};
  /// The group that the result is counted under. Empty: none.
  std::string group_id = {};
  /// Lower starts first; equal priorities start in submission order.
  int priority = 3;
  /// Spared by fail_first, by a run timeout with `on_timeout` complete and by the first signal.
  bool must_complete = false;
  /// Further attempts after a failed one.
  int retries = 0;
  /// Wait before the first retry; zero retries at once whatever `backoff` says.
  Duration retry_delay{0};
  /// What the wait is multiplied by for each further retry.
  double backoff = 1;
  /// The longest wait between two attempts.
  std::optional<Duration> max_delay = {};
  /// Spreads each wait by up to this share of it, 0 to 1.
  double jitter = 0;
  /// Which failures are retried.
  RetryOn retry_on = {};
  /// Limit of each attempt by itself; waiting is never counted, nor is up to a minute in which its
  /// worker (a process, an initializer) gets ready.
  std::optional<Duration> timeout = {};
  /// From being asked to stop (SIGTERM) to being killed. None: the queue's.
  std::optional<Duration> grace = {};
  /// Start no sooner than this after the task was accepted.
  std::optional<Duration> delay = {};
  /// Start no sooner than this wall clock time, converted once; past means now.
  std::optional<std::chrono::system_clock::time_point> run_at = {};
  /// Run and waited for, yet left out of the summary.
  bool detached = false;
  /// What must have succeeded first; when one of these ends otherwise, the task is cancelled.
  std::vector<TaskNeed> needs = {};
  /// Carried along, never read.
  Metadata metadata = {};

  bool operator==(const TaskOptions&) const = default;
};

/// Throws `OptionError` with the text of the first rule that is broken.
void validate(const TaskOptions& options);

}  // namespace osiiso
