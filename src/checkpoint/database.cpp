// SPDX-License-Identifier: MIT
#include "checkpoint/database.hpp"

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include <sqlite3.h>

#include "base/format.hpp"

namespace osiiso::checkpoint {
namespace {

// How long a process that only looks at the file may hold up one that wants to use it.
constexpr int kPatienceMs = 300;

/// What went wrong last, with the errno text where the system refused something: SQLite's own
/// record of it (sqlite3_system_errno) is empty for most files, so `errno` was cleared before.
DatabaseError last_error(sqlite3& database, int code) {
  const int error_number = errno;
  std::string text = sqlite3_errmsg(&database);
  const int primary = code & 0xff;
  const bool is_of_system =
      primary == SQLITE_IOERR || primary == SQLITE_FULL || primary == SQLITE_CANTOPEN;
  if (is_of_system && error_number != 0) {
    text += base::format(" ({})", std::generic_category().message(error_number));
  }
  return {primary, std::move(text)};
}

}  // namespace

Statement::Statement(sqlite3& database, std::string_view sql)
    : database_(&database), statement_(nullptr, &sqlite3_finalize) {
  sqlite3_stmt* made = nullptr;
  errno = 0;
  require(sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()),
                             SQLITE_PREPARE_PERSISTENT, &made, nullptr));
  statement_.reset(made);
}

Statement& Statement::bind(int parameter, std::string_view text) {
  require(sqlite3_bind_text64(statement_.get(), parameter, text.data(), text.size(), SQLITE_STATIC,
                              SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind(int parameter, std::int64_t number) {
  require(sqlite3_bind_int64(statement_.get(), parameter, number));
  return *this;
}

Statement& Statement::bind_bytes(int parameter,
                                 std::optional<std::span<const std::uint8_t>> bytes) {
  if (!bytes) {
    require(sqlite3_bind_null(statement_.get(), parameter));
  } else if (bytes->empty()) {
    require(sqlite3_bind_zeroblob(statement_.get(), parameter, 0));
  } else {
    require(sqlite3_bind_blob64(statement_.get(), parameter, bytes->data(), bytes->size(),
                                SQLITE_STATIC));
  }
  return *this;
}

bool Statement::step() {
  errno = 0;
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  // The reset repeats the code of a step that failed.
  require(sqlite3_reset(statement_.get()));
  if (code != SQLITE_DONE) require(code);
  return false;
}

void Statement::run() {
  while (step()) {
  }
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
}

std::string Statement::text(int column) const {
  const auto* start = sqlite3_column_text(statement_.get(), column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return start == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(start), size);
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::vector<std::uint8_t> Statement::bytes(int column) const {
  const auto* start =
      static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_.get(), column));
  const auto size = sqlite3_column_bytes(statement_.get(), column);
  return start == nullptr ? std::vector<std::uint8_t>()
                          : std::vector<std::uint8_t>(start, start + size);
}

void Statement::require(int code) const {
  if (code != SQLITE_OK) throw last_error(*database_, code);
}

Database::Database(const std::string& path) : database_(nullptr, &sqlite3_close) {
  sqlite3* made = nullptr;
  errno = 0;
  const int code =
      sqlite3_open_v2(path.c_str(), &made,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, nullptr);
  database_.reset(made);
  if (made == nullptr) throw DatabaseError(SQLITE_NOMEM, "out of memory");
  if (code != SQLITE_OK) throw last_error(*made, code);
  sqlite3_busy_timeout(made, kPatienceMs);
  // A file from who knows where is not to run anything by itself.
  sqlite3_db_config(made, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(made, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  execute("PRAGMA cell_size_check = ON");
}

void Database::execute(const char* sql) {
  errno = 0;
  const int code = sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) throw last_error(*database_, code);
}

std::int64_t Database::number_of(std::string_view sql) {
  Statement statement(raw(), sql);
  return statement.step() ? statement.number(0) : 0;
}

std::string Database::text_of(std::string_view sql) {
  Statement statement(raw(), sql);
  return statement.step() ? statement.text(0) : std::string();
}

bool Database::in_transaction() const {
  return sqlite3_get_autocommit(database_.get()) == 0;
}

}  // namespace osiiso::checkpoint
