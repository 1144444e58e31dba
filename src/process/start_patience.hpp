// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <utility>

#include "osiiso/command.hpp"
#include "osiiso/error.hpp"

#include "base/clock.hpp"
#include "base/poll.hpp"
#include "base/stop_state.hpp"

namespace osiiso::process {

/// Whether the system lacks what starting a process takes (descriptors, processes, memory), and may
/// have it a moment later.
bool is_shortage(const SystemError& failed);

/// Stands beside what runs and gives back what it takes when it ends: a command, or a worker
/// process at work.
class UnderWay {
 public:
  UnderWay();
  ~UnderWay();
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;
};

/// How long a start that fails for a shortage is tried again: as long as anything else of this
/// program is under way, and from then on ten seconds. Thread-safe as a value is.
class StartPatience {
 public:
  StartPatience() = default;
  ~StartPatience();
  StartPatience(const StartPatience&) = delete;
  StartPatience& operator=(const StartPatience&) = delete;

  /// When to try again after this failure; none: it is to be reported.
  std::optional<base::Instant> next_try(const SystemError& failed, base::Instant now);

 private:
  std::optional<base::Instant> first_failure_;
  Duration pause_{};
};

/// How many starts of this program wait for the system at the moment.
int waiting_starts();

/// What a start comes to that was asked to stop before there was room for it.
CommandError stopped_before_start();

/// What a start comes to for which there never was room.
CommandError not_started(const SystemError& why);

/// What `start` returns, which is called again and again while the system lacks what it takes: it
/// must give all of it back where it fails. Throws what it throws, or `stopped_before_start()`.
/// `stop` is what `base::wait_for_stop` takes.
template <typename Stop, typename Start>
auto start_patiently(Stop& stop, const Start& start) {
  StartPatience patience;
  for (;;) {
    base::Instant next;
    try {
      return start();
    } catch (const SystemError& failed) {
      const auto again = patience.next_try(failed, base::now());
      if (!again) throw;
      next = *again;
    }
    if (base::wait_for_stop(stop, next)) throw stopped_before_start();
  }
}

}  // namespace osiiso::process
