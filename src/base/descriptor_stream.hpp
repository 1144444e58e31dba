// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <ostream>
#include <streambuf>
#include <string_view>

namespace osiiso::base {

/// Writes all of `text`. The errno of what went wrong, or 0.
int write_all(int descriptor, std::string_view text);

/// A descriptor to write to: buffered, and it knows why a write failed.
class DescriptorStream : public std::ostream {
 public:
  /// The descriptor stays the caller's.
  explicit DescriptorStream(int descriptor) : std::ostream(&buffer_), buffer_(descriptor) {}

  /// Writes what is left. The errno of the first write that failed, or 0.
  int finish();

 private:
  class Buffer : public std::streambuf {
   public:
    explicit Buffer(int descriptor) : descriptor_(descriptor) { forget(); }
    int error() const { return error_; }

   protected:
    int_type overflow(int_type c) override;
    int sync() override;

   private:
    void forget() { setp(bytes_.data(), bytes_.data() + bytes_.size()); }

    int descriptor_;
    std::array<char, 65536> bytes_;
    int error_ = 0;
  };

  Buffer buffer_;
};

}  // namespace osiiso::base
