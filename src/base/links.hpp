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

/// Whether `file` at `path` is somebody else's (neither this user's nor root's) in a folder that
/// everybody can write to: anybody may have put it there, to be believed or to be filled.
bool is_planted(const std::string& path, const struct stat& file);

}  // namespace osiiso::base
