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
/// program is under way, and from then on ten seconds. Starts that wait stand in line, lest the
/// quick ones take all that is given back: those that come later let one that has failed go first.
/// Not for ever, for what it lacks may be its own affair. Thread-safe as a value is.
class StartPatience {
 public:
  StartPatience() = default;
  ~StartPatience();
  StartPatience(const StartPatience&) = delete;
  StartPatience& operator=(const StartPatience&) = delete;

  /// When to try again after this failure; none: it is to be reported.
  std::optional<base::Instant> next_try(const SystemError& failed, base::Instant now);
  /// None: the start may be tried. Otherwise another goes first, and this one is to ask again then.
  std::optional<base::Instant> give_way(base::Instant now);

  /// Sleeps until then, or until there may be room, and stands in line from now on. Returns whether
  /// a stop is requested.
  bool sleep(base::StopState& stop, base::Instant until);
  /// The same for one that is alone in its process: it stands in no line, and hears of no room.
  bool sleep(base::StopSource& stops, base::Instant until);

 private:
  base::Instant after_pause(base::Instant now);

  std::optional<base::Instant> waiting_since_;
  int failures_ = 0;
  bool is_in_line_ = false;
  Duration pause_{};
};

/// Something was given back that others may wait for.
void note_room();

/// The first member of what holds something: says so when all the rest has been given back.
class RoomAtEnd {
 public:
  RoomAtEnd() = default;
  ~RoomAtEnd() { note_room(); }
  RoomAtEnd(const RoomAtEnd&) = delete;
  RoomAtEnd& operator=(const RoomAtEnd&) = delete;
};

/// How many starts of this program stand in line, having failed.
int waiting_starts();

/// What a start comes to that was asked to stop before there was room for it.
CommandError stopped_before_start();

/// What a start comes to for which there never was room.
CommandError not_started(const SystemError& why);

/// What `start` returns, which is called again and again while the system lacks what it takes: it
/// must give all of it back where it fails. `let_go` gives back what is kept for further starts,
/// for others may wait for just that. Throws what `start` throws, or `stopped_before_start()`.
/// `stop` is what `StartPatience::sleep` takes.
template <typename Stop, typename Start, typename LetGo>
auto start_patiently(Stop& stop, const Start& start, const LetGo& let_go) {
  StartPatience patience;
  for (bool keeps_room = true;; keeps_room = false) {
    auto next = patience.give_way(base::now());
    if (!next) {
      try {
        return start();
      } catch (const SystemError& failed) {
        next = patience.next_try(failed, base::now());
        if (!next) throw;
      }
    }
    let_go();
    if (keeps_room) note_room();  // from now on it is but what this start took itself
    if (patience.sleep(stop, *next)) throw stopped_before_start();
  }
}

}  // namespace osiiso::process
