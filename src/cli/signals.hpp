// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <functional>
#include <optional>

#include "osiiso/duration.hpp"

#include "base/clock.hpp"

namespace osiiso::cli {

/// Undoes what our caller did to the signals that matter to us, and ignores SIGPIPE, so that a
/// reader that went away is an error of write(2) and never the end of us. First thing in main.
/// Until `block_heard_signals` a signal ends us at once, and with us all that was started.
void set_dispositions();

/// Blocks SIGINT, SIGTERM, SIGHUP (unless it is ignored, as under nohup), SIGTSTP (likewise) and
/// SIGUSR1 for the calling thread and those that it starts; from then on a `SignalWatch` hears
/// them. Before the first thread.
void block_heard_signals();

/// While it lives, a thread hears the signals that concern a run. They must be blocked; what came
/// between two watches is heard by the second. There is one watch at a time. SIGTSTP suspends
/// everything.
///
/// timeout(1) sends its signal to us and to our group: the same one again within a tenth of a
/// second is the one that was heard already.
class SignalWatch {
 public:
  struct Reactions {
    std::function<void(int signal)> first;
    std::function<void()> again;        // a further signal, or `patience` after the first
    std::function<void()> status = {};  // SIGUSR1
    std::optional<Duration> patience = {};
    std::function<void()> later = {};  // once, so long after the watch began
    Duration after{0};
  };

  /// They are called on the listening thread.
  explicit SignalWatch(Reactions reactions);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  /// Stops listening; the first signal that was heard, if any.
  std::optional<int> finish();

 private:
  friend class Listener;

  struct Heard {
    int signal;
    base::Instant at;
  };

  void hear(int signal);
  void do_what_is_due();
  base::Instant next_due() const { return std::min(patience_ends_, later_at_); }
  bool is_an_echo(int signal);

  const Reactions reactions_;
  // Guarded by the listener's lock until the watch is finished.
  base::Instant patience_ends_ = base::Instant::max();
  base::Instant later_at_ = base::Instant::max();
  std::optional<Heard> last_;
  std::optional<int> first_;
};

/// Ends this process by `signal`, so that a shell sees it; exits with 128 + signal where the
/// signal cannot end it (process 1).
[[noreturn]] void die_of(int signal);

}  // namespace osiiso::cli
