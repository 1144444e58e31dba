// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "osiiso/duration.hpp"

#include "base/descriptor.hpp"
#include "process/spawn.hpp"
#include "queue/worker_link.hpp"

namespace osiiso::queue {

/// A worker process: an execution of this program with a connection to it. Not thread-safe.
class WorkerProcess {
 public:
  /// Starts it. Throws `SystemError`.
  WorkerProcess();
  /// Kills and reaps it, with its group.
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  WorkerLink& link() { return link_; }
  /// Readable when the process has ended.
  int exit_descriptor() const { return child_.pidfd.get(); }
  bool has_ended() const;
  /// An eventfd for whoever works with it: there beforehand, so that once it runs nothing is
  /// lacking.
  const base::Descriptor& stop_event() const { return stop_event_; }

  void kill() const;
  /// `worker process died (exit code 3)`; once it has ended.
  std::string death() const;
  /// Lets it end by itself, and waits for that, at most so long.
  void dismiss(Duration patience);

 private:
  struct Ends {
    base::Descriptor ours;
    base::Descriptor theirs;
  };
  static Ends make_sockets();
  explicit WorkerProcess(Ends ends);

  const base::Descriptor stop_event_;
  WorkerLink link_;
  process::Child child_;
};

/// What `worker_main` has seen of the program's command line.
void note_main(const char* program);
bool main_is_noted();

/// How a worker process is told to be one, in front of where its socket is.
inline constexpr const char* kWorkerMark = "--osiiso-worker=";

}  // namespace osiiso::queue
