// SPDX-License-Identifier: MIT
#pragma once

#include <csignal>
#include <mutex>
#include <optional>
#include <stop_token>

#include "osiiso/duration.hpp"

#include "base/clock.hpp"

namespace osiiso::base {

/// How an attempt is to be stopped.
struct StopRequest {
  int signal = SIGTERM;  ///< what a command's processes get first
  Duration grace{0};     ///< from that signal to SIGKILL; zero kills at once
};

/// Whoever is to hear of stop requests at once. `wake` is called on any thread and under locks: it
/// must neither block nor call back.
class Waker {
 public:
  virtual void wake() noexcept = 0;

 protected:
  ~Waker() = default;
};

/// Where a thread that waits with poll() hears of stop requests.
class StopSource {
 public:
  /// Readable when there may be one; -1 when there will be none any more.
  virtual int descriptor() const = 0;
  /// What is requested by now; the descriptor becomes readable again for what comes later.
  virtual std::optional<StopRequest> take() = 0;

 protected:
  ~StopSource() = default;
};

/// Carries stop requests from a queue to the attempt that it runs. All members may be called from
/// any thread.
class StopState {
 public:
  /// Asks to stop, or asks again: a later request can only shorten the grace of an earlier one.
  void request(StopRequest request);

  /// How many requests came so far; a change says that `latest()` is worth reading.
  unsigned version() const;
  std::optional<StopRequest> latest() const;

  /// While attached, each request wakes it; one that came earlier does at once. After `detach` no
  /// call is under way and none will come.
  void attach(Waker& waker);
  void detach();

  /// For functions that take a token: requested as soon as anything is.
  std::stop_token token();

 private:
  mutable std::mutex mutex_;
  unsigned version_ = 0;
  std::optional<StopRequest> latest_;
  std::optional<std::stop_source> source_;  // made when somebody asks, most attempts never do
  Waker* waker_ = nullptr;
};

/// Waits without a descriptor until something is requested, at most until then. Returns whether it
/// was. Nobody else may be attached.
bool wait_for_stop(StopState& stop, Instant until);

}  // namespace osiiso::base
