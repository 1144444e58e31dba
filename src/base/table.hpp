// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace osiiso::base {

/// A sequence that only grows, piece by piece, and nothing in it ever moves. A vector of a million
/// is copied as it grows, which is long for those who wait for a lock meanwhile.
template <typename T>
class Table {
 public:
  std::size_t size() const { return size_; }
  T& operator[](std::size_t at) { return pieces_[at / kInPiece][at % kInPiece]; }
  const T& operator[](std::size_t at) const { return pieces_[at / kInPiece][at % kInPiece]; }

  void push_back(T value) {
    if (size_ == pieces_.size() * kInPiece) pieces_.emplace_back();
    pieces_.back().reserve(kInPiece);  // again, where there was no memory for it before
    pieces_.back().push_back(std::move(value));
    ++size_;
  }

 private:
  static constexpr std::size_t kInPiece = 1024;

  std::vector<std::vector<T>> pieces_;
  std::size_t size_ = 0;
};

}  // namespace osiiso::base
