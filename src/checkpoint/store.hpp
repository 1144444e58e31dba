// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "osiiso/checkpoint.hpp"

#include "checkpoint/database.hpp"
#include "checkpoint/file.hpp"

namespace osiiso::checkpoint {

using Bytes = detail::ValueCodec::Bytes;

/// Which task it is, and what it was called when it was seen last.
struct TaskKey {
  std::string name_space;
  std::string key;
  std::string name;
};
using TaskKeyPtr = std::shared_ptr<const TaskKey>;

/// The file of a checkpoint: one row for each task that was seen.
///
/// SQLite with a write-ahead log and no fsync: what a write(2) has taken survives the death of any
/// process, which is what is promised, and a success costs some 20 µs instead of some 70. The file
/// is locked for as long as the store lives; the kernel lets go of the lock with the process.
///
/// Thread-safe. Whatever throws throws `CheckpointError`.
class Store {
 public:
  Store(std::string path, Checkpoint::Access access);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  const std::string& path() const { return shown_; }

  /// The value of a success.
  std::optional<Bytes> restore(const TaskKeyPtr& task);
  Checkpoint::Standing standing(const TaskKey& task);

  /// These are in the file when the call returns.
  void record_success(const TaskKeyPtr& task, Bytes value);
  void record_failure(const TaskKeyPtr& task);
  /// Nothing depends on this one: it is written with the next of the others, or by `flush`.
  void note_cancelled(const TaskKeyPtr& task);
  void flush();

  std::optional<std::string> error() const;

 private:
  enum class Change { succeeded, failed, cancelled, renamed };
  struct Entry {
    TaskKeyPtr task;
    Change change;
    Bytes value = {};
  };
  struct Statements {
    explicit Statements(sqlite3& database);
    Statement begin, commit, rollback, upsert, rename, find;
  };

  void open(const std::string& resolved);
  void prepare_schema();
  Checkpoint::Standing standing_of(const std::string& status) const;
  [[noreturn]] void refuse(const std::string& reason) const;
  [[noreturn]] void refuse(const DatabaseError& error) const;

  // Lock held.
  void write_with_pending(Entry entry);
  void write_pending();
  void write(const Entry& entry);
  void roll_back() noexcept;
  bool was_seen_otherwise(const TaskKey& task);

  const std::string shown_;  // the path as the user knows it

  mutable std::mutex mutex_;
  std::optional<Claim> claim_;        // of the file, for as long as it is open
  std::optional<Database> database_;  // none: there is no file to look at
  std::optional<Statements> statements_;
  std::vector<Entry> pending_;
  std::string first_error_;
  std::size_t missing_ = 0;  // entries that could not be written
  // Loaded when first asked for: (namespace, name) of every row.
  std::optional<std::set<std::pair<std::string, std::string>>> names_;
};

}  // namespace osiiso::checkpoint
