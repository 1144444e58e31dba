// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "osiiso/duration.hpp"
#include "osiiso/task_id.hpp"

namespace osiiso {

namespace base {
class StopState;
}

class TaskContext;

/// The streams of a command.
enum class OutputStream : std::uint8_t { out, err };

/// Hears what the command of an attempt prints, see `Hooks::on_output`.
using OutputHook =
    std::function<void(const TaskContext& attempt, OutputStream stream, std::string_view bytes)>;

/// Hears that the command of an attempt runs: as this process, which leads its group and session.
using SpawnHook = std::function<void(const TaskContext& attempt, int pid)>;

/// Who hears of the command of an attempt; each may be empty, and must not throw.
struct CommandHooks {
  SpawnHook on_spawn = {};
  OutputHook on_output = {};
};

/// What a running attempt may know about itself. A callable that takes a `const TaskContext&`, or
/// a `std::stop_token`, as its first parameter is given it. Valid until the callable returns.
class TaskContext {
 public:
  struct Identity {
    std::string run_id;
    std::string task_id;
    std::string name;
    std::string group_id;
    int attempt = 1;
    int max_attempts = 1;
    int worker = 0;
    Duration grace{0};
  };

  /// The same for a queue, which has all of that anyway and keeps it as long as the attempt runs.
  struct BorrowedIdentity {
    const std::string* run_id;
    TaskId task_id;
    const std::string* name;
    const std::string* group_id;
    int attempt = 1;
    int max_attempts = 1;
    int worker = 0;
    Duration grace{0};
  };

  TaskContext(Identity identity, std::shared_ptr<base::StopState> stop)
      : owned_(std::make_shared<const Owned>(Owned{std::move(identity), std::move(stop)})),
        identity_{.run_id = &owned_->identity.run_id,
                  .task_id = {},
                  .name = &owned_->identity.name,
                  .group_id = &owned_->identity.group_id,
                  .attempt = owned_->identity.attempt,
                  .max_attempts = owned_->identity.max_attempts,
                  .worker = owned_->identity.worker,
                  .grace = owned_->identity.grace},
        stop_(owned_->stop.get()) {}

  TaskContext(const BorrowedIdentity& identity, base::StopState& stop)
      : identity_(identity), stop_(&stop) {}

  /// The same attempt, with those who hear of its command and live longer.
  TaskContext& with_hooks(const CommandHooks* hooks) {
    hooks_ = hooks;
    return *this;
  }

  const std::string& run_id() const { return *identity_.run_id; }
  std::string task_id() const {
    return owned_ ? owned_->identity.task_id : identity_.task_id.text();
  }
  const std::string& name() const { return *identity_.name; }
  const std::string& group_id() const { return *identity_.group_id; }
  /// Which attempt this is, from 1, and how many there can be.
  int attempt() const { return identity_.attempt; }
  int max_attempts() const { return identity_.max_attempts; }
  int worker() const { return identity_.worker; }
  /// From the stop request to the moment when the attempt is killed or given up.
  Duration grace() const { return identity_.grace; }

  /// Asked to stop when the attempt times out or the task is cancelled.
  std::stop_token stop_token() const;

  /// For code of osiiso that runs commands: whether somebody listens, and telling them.
  bool is_spawn_heard() const { return hooks_ != nullptr && hooks_->on_spawn; }
  bool is_output_heard() const { return hooks_ != nullptr && hooks_->on_output; }
  void tell_spawn(int pid) const {
    if (is_spawn_heard()) hooks_->on_spawn(*this, pid);
  }
  void tell_output(OutputStream stream, std::string_view bytes) const {
    if (is_output_heard()) hooks_->on_output(*this, stream, bytes);
  }

  /// For code of osiiso that needs more than the token says.
  base::StopState& stop_state() const { return *stop_; }

 private:
  struct Owned {
    Identity identity;
    std::shared_ptr<base::StopState> stop;
  };

  std::shared_ptr<const Owned> owned_;  // null where all is borrowed
  BorrowedIdentity identity_;
  base::StopState* stop_;
  const CommandHooks* hooks_ = nullptr;  // null: nobody
};

}  // namespace osiiso
