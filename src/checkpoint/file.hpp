// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace osiiso::checkpoint {

/// The path of the database as it may be handed to SQLite: absolute, without symbolic links. Throws
/// `CheckpointError` where it or a file that SQLite keeps beside it is no regular file, where a
/// link on the way is neither this user's nor root's, or where such a file is, in a folder that
/// everybody can write to.
std::string resolve_path(const std::string& path);

/// Creates an empty file, as the umask says, where there is none. Throws `CheckpointError`.
void create_file(const std::string& resolved, const std::string& shown);

/// The right to open a file, which one of this process has at a time: with any descriptor of a file
/// that it closes, a process loses all of its locks on that file, those of SQLite too.
class Claim {
 public:
  /// Of an existing file. Throws `CheckpointError` where somebody has it.
  Claim(const std::string& resolved, const std::string& shown);
  ~Claim();
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

 private:
  std::pair<std::uint64_t, std::uint64_t> file_;  // device, inode
};

bool is_absent_or_empty(const std::string& resolved);

/// Throws `CheckpointError` for a file that is neither empty nor a SQLite database with this
/// application id, before SQLite has had a chance to change it.
void refuse_foreign_file(const std::string& resolved, const std::string& shown,
                         std::int64_t application_id);

}  // namespace osiiso::checkpoint
