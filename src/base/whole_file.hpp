// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <iosfwd>
#include <string>

#include "base/descriptor.hpp"

namespace osiiso::base {

/// A file that is written in one go, so that whoever reads it sees all of it or what was there
/// before. What is no regular file (a pipe, a device, a descriptor named as /dev/fd/N) is written
/// directly.
class WholeFile {
 public:
  /// Looks whether the file could be written, and writes nothing. Throws `Error` that says why
  /// not: no such folder, not allowed, a symbolic link of another user.
  explicit WholeFile(const std::string& path);

  /// The same for equal files: its absolute path without symbolic links, or `descriptor N`.
  const std::string& identity() const { return identity_; }

  /// Writes what `fill` puts into the stream. A new file is as the umask says, one that is replaced
  /// keeps its permissions. Throws `SystemError`; the file is then as it was.
  void write(const std::function<void(std::ostream&)>& fill) const;

 private:
  void take_descriptor(int number);
  void find_file();
  void replace(const std::function<void(std::ostream&)>& fill) const;

  std::string path_;  // as the user gave it
  std::string identity_;
  Descriptor descriptor_;  // a copy of the one that the path names
  bool directly_ = false;
};

}  // namespace osiiso::base
