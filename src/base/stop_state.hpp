// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
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

  /// As it was when it was made. Only while nobody else has it.
  void renew();

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

/// Lets a thread sleep without a descriptor until something is requested. Nobody else may be
/// attached.
class StopBell final : public Waker {
 public:
  explicit StopBell(StopState& stop) : stop_(stop) { stop_.attach(*this); }
  ~StopBell() { stop_.detach(); }
  StopBell(const StopBell&) = delete;
  StopBell& operator=(const StopBell&) = delete;

  /// For others that have something to tell whoever sleeps.
  void wake() noexcept override;
  /// Returns when it was woken, at most at that instant.
  void wait(Instant until);

 private:
  StopState& stop_;
  std::mutex mutex_;
  std::condition_variable condition_;
  bool rang_ = false;
};

}  // namespace osiiso::base
