// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "osiiso/batch.hpp"
#include "osiiso/checkpoint.hpp"
#include "osiiso/hooks.hpp"
#include "osiiso/queue_options.hpp"

#include "base/clock.hpp"
#include "cli/input_source.hpp"
#include "job/placeholders.hpp"
#include "job/task_identity.hpp"

namespace osiiso::cli {

/// Room for outstanding tasks. Thread-safe.
class Room {
 public:
  /// 0: no bound.
  explicit Room(std::size_t size) : size_(size) {}

  /// Waits for a place; false: `close` was called, or the deadline came.
  bool take(std::optional<base::Instant> deadline);
  bool try_take();
  void give(std::size_t places = 1);
  /// There is none any more.
  void close();

 private:
  bool has_place() const { return size_ == 0 || taken_ < size_; }

  const std::size_t size_;
  std::mutex mutex_;
  std::condition_variable given_;
  std::size_t taken_ = 0;
  bool is_closed_ = false;
};

/// Makes a task of each input as it comes, and hands them to a queue as long as there is room.
class Feeder {
 public:
  struct Options {
    std::size_t size = 0;                  ///< most outstanding tasks, 0: no bound
    std::optional<Duration> timeout = {};  ///< for all of it
    std::string run_name = {};
    TaskOptions task = {};
    Checkpoint* checkpoint = nullptr;
    /// Whether those who take the results are so far behind that no more tasks are to come.
    std::function<bool()> is_too_far_ahead = {};
  };

  /// `commands` has no mistakes and can be filled with any single value.
  Feeder(InputSource& inputs, job::Template commands, const Options& options);

  /// Makes the queue call it.
  void listen(Hooks& hooks);

  /// Submits tasks until there are no more inputs, or the run is being ended early.
  void feed(const std::function<void(Batch)>& submit);
  /// Takes no more inputs, also while one is waited for. From any thread.
  void stop();
  /// Whether no more tasks will come. From any thread.
  bool is_done() const { return is_done_; }
  /// What is left of the timeout, after `feed`.
  std::optional<Duration> time_left() const;
  /// Whether the timeout passed while inputs were waited for.
  bool timed_out() const { return timed_out_; }
  std::uint64_t inputs_taken() const { return taken_; }
  /// Why not all inputs became tasks, though nobody stopped it; empty: they did.
  const std::string& error() const { return error_; }

 private:
  void feed_all(const std::function<void(Batch)>& submit);
  void add(Batch& batch, const RawInput& input);
  std::optional<base::Instant> deadline() const;

  InputSource& inputs_;
  const job::Template commands_;
  const Batch::SharedOptions options_;
  const Batch::SharedOptions refused_options_;
  const std::optional<Duration> timeout_;
  Checkpoint* const checkpoint_;
  const std::function<bool()> is_too_far_ahead_;
  job::IdentityMaker identities_;
  Room room_;
  std::size_t finished_ = 0;  // tasks whose places have not been given back
  base::Instant began_at_{};
  std::uint64_t taken_ = 0;
  bool timed_out_ = false;
  std::atomic<bool> is_done_ = false;
  std::string error_;
};

}  // namespace osiiso::cli
