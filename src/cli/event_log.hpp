// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "osiiso/duration.hpp"
#include "osiiso/hooks.hpp"

#include "cli/event_target.hpp"
#include "cli/exit_code.hpp"
#include "cli/line_writer.hpp"
#include "report/event_stream.hpp"

namespace osiiso::cli {

/// The events of a run, written as they happen; where they cannot be, that is said once, and the
/// run goes on.
class EventLog {
 public:
  /// Throws as `EventTarget::open`, and `SystemError`.
  explicit EventLog(const EventTarget& target);

  /// Makes the queue call it.
  void listen(Hooks& hooks);
  /// The rest is not told by hooks.
  report::EventStream& stream() { return stream_; }
  /// After the last event.
  ExitCode finish(Duration patience);

 private:
  const std::string name_;
  LineWriter writer_;
  report::EventStream stream_;
};

}  // namespace osiiso::cli
