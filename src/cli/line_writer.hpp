// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "osiiso/duration.hpp"

#include "base/descriptor.hpp"

namespace osiiso::cli {

/// Writes lines to a descriptor on a thread of its own, as soon as they are there, so that nobody
/// waits for who reads them. Thread-safe, but for the end.
///
/// Each write is one of whole lines of at most PIPE_BUF bytes together: a pipe takes it in one
/// piece. A line that finds no room any more, as after an error, is the end: what was taken before
/// it is still written, nothing after it is taken.
class LineWriter {
 public:
  /// What waits for a reader, in bytes, besides what is just being written.
  static constexpr std::size_t kMostWaiting = 4UL * 1024 * 1024;

  /// `on_failure` is called once at most, by whoever notices: with the reason why not all lines
  /// will be written, as in "cannot write the events: REASON". Throws `SystemError` where no thread
  /// can be started.
  LineWriter(base::Descriptor out, std::function<void(const std::string& reason)> on_failure);
  /// Gives up what is not written yet.
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  /// A line, with its end. Never waits.
  void write(std::string_view line);

  /// No more lines. Waits at most that long until they are written, unless some were lost already;
  /// whether all were.
  bool finish(Duration patience);

 private:
  struct State;

  static void work(const std::shared_ptr<State>& state);

  // The thread has its share, for it may be in the middle of a write that nobody waits for.
  const std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace osiiso::cli
