// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "osiiso/command.hpp"
#include "osiiso/task_context.hpp"

#include "base/poll.hpp"
#include "base/stop_state.hpp"
#include "process/child_set.hpp"
#include "process/process_list.hpp"
#include "support/files.hpp"

namespace osiiso::test {

inline std::string child(const std::string& name) {
  return OSIISO_CHILDREN "/" + name;
}

inline Command::Settings settings(CommandSettings made) {
  return std::make_shared<const CommandSettings>(std::move(made));
}

inline TaskContext::Identity identity() {
  return {.run_id = "run", .task_id = "task", .name = "name", .group_id = {}};
}

/// How an attempt ended, whichever way.
struct Ended {
  CommandOutput output;
  std::optional<Cause> cause;  // none: it succeeded
  std::string message;
};

inline Ended run(const Command& command, std::shared_ptr<base::StopState> stop,
                 TaskContext::Identity who = identity()) {
  const TaskContext context(std::move(who), std::move(stop));
  try {
    return {command(context), {}, {}};
  } catch (const CommandError& error) {
    return {error.output(), error.cause(), error.what()};
  }
}

inline Ended run(const Command& command) {
  return run(command, std::make_shared<base::StopState>());
}

inline Ended run_child(const std::string& name, std::vector<std::string> arguments = {}) {
  arguments.insert(arguments.begin(), child(name));
  return run(Command::argv(arguments));
}

/// A grace within which whoever heeds SIGTERM has died of it, however busy the machine is.
constexpr Duration kEnoughToDie = std::chrono::milliseconds(500);

inline bool is_running(pid_t pid) {
  const auto process = process::find_process(pid);
  return process && !process->is_zombie;
}

/// Whether they have something to do, which it takes until then at most.
inline bool wait_for(const process::ChildSet& children, std::optional<base::Instant> until) {
  pollfd waited{children.descriptor(), POLLIN, 0};
  base::poll_until({&waited, 1}, base::earlier(children.deadline(), until));
  return waited.revents != 0;
}

inline void drive_to_end(process::ChildSet& children) {
  while (!children.empty()) {
    wait_for(children, {});
    children.step(base::now());
  }
}

/// A command that runs beside the test, which can stop it.
class Running {
 public:
  explicit Running(const Command& command, TaskContext::Identity who = identity())
      : ended_(std::async(std::launch::async, [command, who = std::move(who), stop = stop_] {
          return run(command, stop, who);
        })) {}

  void stop(base::StopRequest request) { stop_->request(request); }
  Ended end() { return ended_.get(); }

 private:
  std::shared_ptr<base::StopState> stop_ = std::make_shared<base::StopState>();
  std::future<Ended> ended_;
};

/// A place that a child passes, so that a test can wait until it has come that far.
class Signpost {
 public:
  Signpost() : fifo_(folder_.file("signpost")) { ::mkfifo(fifo_.c_str(), 0600); }

  const std::string& fifo() const { return fifo_; }

  /// Waits until somebody has opened the FIFO and returns what was written there, to its end.
  std::string wait() const {
    std::ifstream file(fifo_);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  TemporaryFolder folder_;
  std::string fifo_;
};

}  // namespace osiiso::test
