// SPDX-License-Identifier: MIT
#include "checkpoint/store.hpp"

#include <chrono>

#include <sqlite3.h>

#include "base/format.hpp"
#include "base/text.hpp"
#include "checkpoint/file.hpp"

namespace osiiso::checkpoint {
namespace {

constexpr std::int64_t kApplicationId = 0x6f736969;  // "osii"
constexpr std::int64_t kVersion = 1;

constexpr const char* kTable =
    "CREATE TABLE tasks(namespace TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL, "
    "status TEXT NOT NULL, value BLOB, recorded_at INTEGER NOT NULL, PRIMARY KEY(namespace, key))";

constexpr std::string_view kSucceeded = "succeeded";
constexpr std::string_view kFailed = "failed";
constexpr std::string_view kCancelled = "cancelled";

// So many rows of cancelled tasks are kept in memory before they are written.
constexpr std::size_t kMostPending = 1000;

std::int64_t unix_milliseconds() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace

Store::Statements::Statements(sqlite3& database)
    : begin(database, "BEGIN IMMEDIATE"),
      commit(database, "COMMIT"),
      rollback(database, "ROLLBACK"),
      upsert(database,
             "INSERT INTO tasks VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(namespace, key) DO "
             "UPDATE SET name = ?3, status = ?4, value = ?5, recorded_at = ?6"),
      rename(database, "UPDATE tasks SET name = ?3 WHERE namespace = ?1 AND key = ?2"),
      find(database, "SELECT status, value, name FROM tasks WHERE namespace = ?1 AND key = ?2") {}

Store::Store(std::string path, Checkpoint::Access access) : shown_(std::move(path)) {
  const std::string resolved = resolve_path(shown_);
  if (access == Checkpoint::Access::look) {
    if (is_absent_or_empty(resolved)) return;
  } else {
    create_file(resolved, shown_);
  }
  claim_.emplace(resolved, shown_);
  refuse_foreign_file(resolved, shown_, kApplicationId);
  try {
    open(resolved);
  } catch (const DatabaseError& error) {
    refuse(error);
  }
}

Store::~Store() {
  try {
    flush();
  } catch (const CheckpointError&) {  // NOLINT(bugprone-empty-catch): nobody is left to be told
  }
}

// Opening

void Store::open(const std::string& resolved) {
  database_.emplace(resolved);
  database_->execute("PRAGMA locking_mode = EXCLUSIVE");
  // Whoever has this lock is alone, and keeps it.
  database_->execute("BEGIN EXCLUSIVE");
  prepare_schema();
  database_->execute("COMMIT");
  if (database_->text_of("PRAGMA journal_mode = WAL") != "wal") refuse("it cannot have a log");
  database_->execute("PRAGMA synchronous = OFF");
  // The quick one does not look whether the index finds each row.
  const auto fault = database_->text_of("PRAGMA integrity_check(1)");
  if (fault != "ok") refuse(base::format("it is damaged: {}", base::last_line(fault)));
  statements_.emplace(database_->raw());
}

/// The schema is made before there is a log, so that whatever has a table has our mark, too.
void Store::prepare_schema() {
  const bool is_ours = database_->number_of("PRAGMA application_id") == kApplicationId;
  if (!is_ours && database_->number_of("SELECT count(*) FROM sqlite_schema") == 0) {
    database_->execute(kTable);
    database_->execute(base::format("PRAGMA application_id = {}", kApplicationId).c_str());
    database_->execute(base::format("PRAGMA user_version = {}", kVersion).c_str());
    return;
  }
  if (!is_ours) refuse("it is not a checkpoint");
  const auto version = database_->number_of("PRAGMA user_version");
  if (version > kVersion) {
    refuse(base::format("it was written by a later osiiso (schema {}, this one knows {})", version,
                        kVersion));
  }
  // Neither another table nor a trigger or view in its place.
  constexpr std::int64_t kTableAndIndex = 2;
  if (database_->number_of("SELECT count(*) FROM sqlite_schema") != kTableAndIndex ||
      database_->text_of("SELECT sql FROM sqlite_schema WHERE name = 'tasks'") != kTable) {
    refuse("it is damaged: its tables are not those of a checkpoint");
  }
}

void Store::refuse(const std::string& reason) const {
  throw CheckpointError(base::format("checkpoint {}: {}", shown_, reason));
}

void Store::refuse(const DatabaseError& error) const {
  switch (error.code()) {
    case SQLITE_BUSY:
      refuse("it is in use by another run");
    case SQLITE_NOTADB:
      refuse("it is not a checkpoint");
    case SQLITE_CORRUPT:
      refuse(base::format("it is damaged: {}", error.what()));
    default:
      refuse(error.what());
  }
}

// Looking

std::optional<Bytes> Store::restore(const TaskKeyPtr& task) {
  const std::lock_guard lock(mutex_);
  if (!database_) return {};
  try {
    auto& find = statements_->find;
    find.bind(1, task->name_space).bind(2, task->key);
    if (!find.step()) return {};
    const auto status = find.text(0);
    auto value = find.bytes(1);
    const bool is_renamed = find.text(2) != task->name;
    find.reset();
    if (standing_of(status) != Checkpoint::Standing::done) return {};
    if (is_renamed) pending_.push_back({task, Change::renamed});
    return value;
  } catch (const DatabaseError& error) {
    refuse(error);
  }
}

Checkpoint::Standing Store::standing(const TaskKey& task) {
  const std::lock_guard lock(mutex_);
  if (!database_) return Checkpoint::Standing::is_new;
  try {
    auto& find = statements_->find;
    find.bind(1, task.name_space).bind(2, task.key);
    if (!find.step()) {
      return was_seen_otherwise(task) ? Checkpoint::Standing::changed
                                      : Checkpoint::Standing::is_new;
    }
    const auto status = find.text(0);
    find.reset();
    return standing_of(status);
  } catch (const DatabaseError& error) {
    refuse(error);
  }
}

Checkpoint::Standing Store::standing_of(const std::string& status) const {
  if (status == kSucceeded) return Checkpoint::Standing::done;
  if (status == kFailed) return Checkpoint::Standing::failed_before;
  if (status == kCancelled) return Checkpoint::Standing::cancelled_before;
  refuse("it is damaged: a task has a status that there is not");
}

bool Store::was_seen_otherwise(const TaskKey& task) {
  if (!names_) {
    names_.emplace();
    Statement all(database_->raw(), "SELECT DISTINCT namespace, name FROM tasks");
    while (all.step()) names_->emplace(all.text(0), all.text(1));
  }
  return names_->contains({task.name_space, task.name});
}

// Recording

void Store::record_success(const TaskKeyPtr& task, Bytes value) {
  write_with_pending({task, Change::succeeded, std::move(value)});
}

void Store::record_failure(const TaskKeyPtr& task) {
  write_with_pending({task, Change::failed});
}

void Store::note_cancelled(const TaskKeyPtr& task) {
  const std::lock_guard lock(mutex_);
  pending_.push_back({task, Change::cancelled});
  if (pending_.size() >= kMostPending) write_pending();
}

void Store::flush() {
  const std::lock_guard lock(mutex_);
  write_pending();
}

void Store::write_with_pending(Entry entry) {
  const std::lock_guard lock(mutex_);
  pending_.push_back(std::move(entry));
  write_pending();
}

/// In one transaction and in order, so that of two entries about a task the later one stands.
void Store::write_pending() {
  if (pending_.empty()) return;
  const auto entries = std::exchange(pending_, {});
  try {
    if (!database_) refuse("it was opened to be looked at");
    statements_->begin.run();
    for (const auto& entry : entries) write(entry);
    statements_->commit.run();
  } catch (const DatabaseError& error) {
    roll_back();
    missing_ += entries.size();
    if (first_error_.empty()) first_error_ = error.what();
    throw CheckpointError(base::format("checkpoint {}: cannot record: {}", shown_, error.what()));
  }
}

void Store::write(const Entry& entry) {
  const auto& task = *entry.task;
  if (entry.change == Change::renamed) {
    statements_->rename.bind(1, task.name_space).bind(2, task.key).bind(3, task.name).run();
    return;
  }
  std::string_view status = kSucceeded;
  if (entry.change == Change::failed) status = kFailed;
  if (entry.change == Change::cancelled) status = kCancelled;
  std::optional<std::span<const std::uint8_t>> value;
  if (entry.change == Change::succeeded) value = entry.value;
  statements_->upsert.bind(1, task.name_space)
      .bind(2, task.key)
      .bind(3, task.name)
      .bind(4, status)
      .bind_bytes(5, value)
      .bind(6, unix_milliseconds())
      .run();
}

/// Some errors end the transaction by themselves.
void Store::roll_back() noexcept {
  try {
    if (database_->in_transaction()) statements_->rollback.run();
  } catch (const DatabaseError&) {  // NOLINT(bugprone-empty-catch): the first error is told
  }
}

std::optional<std::string> Store::error() const {
  const std::lock_guard lock(mutex_);
  if (missing_ == 0) return {};
  return base::format("checkpoint {}: cannot record: {} ({} of the tasks are missing)", shown_,
                      first_error_, missing_);
}

}  // namespace osiiso::checkpoint
