// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/descriptor.hpp"

namespace osiiso::base {

/// A file without a name, in `TMPDIR` or else /tmp: when it is closed, or the program dies, it is
/// gone. Functions throw `SystemError`.
class TempFile {
 public:
  TempFile();

  /// Where the bytes stand from now on.
  std::uint64_t append(std::string_view bytes);
  /// Writes over bytes that are there, or leaves a gap behind them.
  void write(std::uint64_t at, std::string_view bytes);
  /// Fewer bytes only where the file ends.
  std::string read(std::uint64_t at, std::size_t size) const;
  std::uint64_t size() const { return size_; }
  /// These bytes are needed no more: the disk has room for others, where its file system can do so.
  void discard(std::uint64_t at, std::size_t size);

 private:
  std::string folder_;
  Descriptor file_;
  std::uint64_t size_ = 0;
};

}  // namespace osiiso::base
