// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace osiiso::process {

/// Keeps the beginning and the end of a stream. Memory grows with what is written, up to twice
/// `kKept`; an empty stream costs nothing.
class Capture {
 public:
  /// Bytes kept at each end.
  static constexpr std::size_t kKept = 32UL * 1024;

  void append(std::string_view bytes);

  /// All bytes of the stream so far.
  std::uint64_t total() const { return total_; }
  bool truncated() const { return total_ > 2 * kKept; }

  /// What was kept, with the line `[... 17 bytes left out ...]` in place of what was not. A UTF-8
  /// character is left out whole. Empties the capture.
  std::string take_text();

 private:
  void append_to_tail(std::string_view bytes);

  std::string head_;
  std::string tail_;            // a ring once it is full
  std::size_t tail_start_ = 0;  // where its oldest byte is
  std::uint64_t total_ = 0;
};

}  // namespace osiiso::process
