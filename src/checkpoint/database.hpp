// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace osiiso::checkpoint {

/// SQLite refused something; `code` is its result code (SQLITE_BUSY, ...).
class DatabaseError : public std::exception {
 public:
  DatabaseError(int code, std::string text) : code_(code), text_(std::move(text)) {}
  int code() const { return code_; }
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  int code_;
  std::string text_;
};

/// A prepared statement. Parameters count from 1, columns from 0.
class Statement {
 public:
  Statement(sqlite3& database, std::string_view sql);

  /// The bytes must stay until the statement has been run.
  Statement& bind(int parameter, std::string_view text);
  Statement& bind(int parameter, std::int64_t number);
  Statement& bind_bytes(int parameter, std::optional<std::span<const std::uint8_t>> bytes);

  /// True: there is a row. False: it is over, and can be run again.
  bool step();
  /// Runs it to its end.
  void run();
  /// Forgets the rest of its rows.
  void reset();

  std::string text(int column) const;
  std::int64_t number(int column) const;
  std::vector<std::uint8_t> bytes(int column) const;

 private:
  void require(int code) const;

  sqlite3* database_;
  std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement_;
};

/// A connection that nobody shares: one thread at a time, and no other process may open the
/// database while it has been used once. Everything throws `DatabaseError`.
class Database {
 public:
  /// Of an existing file, whose path holds no symbolic link.
  explicit Database(const std::string& path);

  sqlite3& raw() { return *database_; }
  void execute(const char* sql);
  std::int64_t number_of(std::string_view sql);
  std::string text_of(std::string_view sql);
  /// Whether a transaction is open.
  bool in_transaction() const;

 private:
  std::unique_ptr<sqlite3, int (*)(sqlite3*)> database_;
};

}  // namespace osiiso::checkpoint
