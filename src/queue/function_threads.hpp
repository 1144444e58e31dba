// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>

namespace osiiso::queue {

/// Threads for calls that may block, made as they are needed and kept for the next call.
/// Thread-safe. A call that does not return outlives this object together with its thread.
class FunctionThreads {
 public:
  /// `call` is told whether its thread is initialized, which it may change. When it has returned,
  /// the thread makes `report` and is free for further work, so that there are never more threads
  /// than calls at a time.
  struct Work {
    std::function<void(bool& is_initialized)> call;
    std::function<void()> report;
  };
  FunctionThreads();
  /// As `close`.
  ~FunctionThreads();

  /// Throws `std::system_error` where no thread can be had.
  void run(Work work);
  /// Ends the threads that have nothing to do, and lets the others end when they have returned.
  void close();

 private:
  struct State;
  struct Seat;
  static void serve(const std::shared_ptr<State>& state, const std::shared_ptr<Seat>& seat);

  std::shared_ptr<State> state_;
};

}  // namespace osiiso::queue
