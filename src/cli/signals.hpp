// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <thread>

#include "osiiso/duration.hpp"

#include "base/descriptor.hpp"

namespace osiiso::cli {

/// Undoes what our caller did to the signals that matter to us, and ignores SIGPIPE, so that a
/// reader that went away is an error of write(2) and never the end of us. First thing in main.
/// Until `block_ending_signals` a signal ends us at once: nothing was started.
void set_dispositions();

/// Blocks SIGINT, SIGTERM and SIGHUP (unless it is ignored, as under nohup) for the calling thread
/// and those that it starts; from then on a `SignalWatch` hears them. Before the first thread.
void block_ending_signals();

/// While it lives, a thread of its own hears the signals that end a run. They must be blocked; what
/// came between two watches is heard by the second.
class SignalWatch {
 public:
  struct Reactions {
    std::function<void(int signal)> first;
    std::function<void()> again;  // a further signal, or `patience` after the first
    std::optional<Duration> patience;
  };

  /// Called on the watching thread.
  explicit SignalWatch(Reactions reactions);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  /// Stops listening; the first signal that was heard, if any.
  std::optional<int> finish();

 private:
  void listen();

  const Reactions reactions_;
  base::Descriptor signals_;
  base::Descriptor done_;
  std::optional<int> first_;  // written by the thread, read after it has ended
  std::thread thread_;
};

/// Ends this process by `signal`, so that a shell sees it; exits with 128 + signal where the
/// signal cannot end it (process 1).
[[noreturn]] void die_of(int signal);

}  // namespace osiiso::cli
