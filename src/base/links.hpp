// SPDX-License-Identifier: MIT
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

namespace osiiso::base {

/// Where a path leads.
struct Resolved {
  std::string path;                 ///< absolute, without symbolic links
  std::optional<struct stat> file;  ///< what is there; none: nothing
  bool through_link = false;        ///< whether the last component is a symbolic link
};

/// Follows `path`, whose last component need not exist. Throws `Error` where a folder on the way is
/// missing, and where the last component is a link that is neither this user's nor root's: in a
/// folder such as /tmp anybody may have put it there.
Resolved resolve(const std::string& path);

/// What is at `path`, a link itself and not what it leads to; none: nothing. Throws `SystemError`.
std::optional<struct stat> look_at(const std::string& path);

bool is_same_file(const struct stat& one, const struct stat& other);

/// Whether `file` is neither this user's nor root's.
bool is_of_others(const struct stat& file);

/// Whether `file` at `path` is somebody else's in a folder that everybody can write to: anybody may
/// have put it there, to be believed or to be filled.
bool is_planted(const std::string& path, const struct stat& file);

/// Throws `Error` where what is there is planted.
void refuse_planted(const Resolved& found);

}  // namespace osiiso::base
