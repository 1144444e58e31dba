// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <mutex>

#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>

#include "base/clock.hpp"

namespace osiiso::queue {

/// Something that happens once, on any thread, and that one coroutine waits for.
///
/// The waiting is a timer of the coroutine's own loop, for a loop that goes away takes its timers,
/// and the coroutines that wait for them, with it. Whoever fires later finds no timer.
class LoopEvent {
 public:
  /// Never blocks, never resumes anybody on the calling thread.
  void fire();

  /// True when it has happened, false at the deadline. Throws `asio::system_error` with
  /// `operation_aborted` where the coroutine is cancelled.
  static asio::awaitable<bool> wait(std::shared_ptr<LoopEvent> event,
                                    base::Instant deadline = base::Instant::max());

 private:
  class Attached;

  std::mutex mutex_;
  bool fired_ = false;
  asio::steady_timer* timer_ = nullptr;
};

}  // namespace osiiso::queue
