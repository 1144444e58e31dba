// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <utility>

#include "base/clock.hpp"

namespace osiiso::process {

/// Says that a child was started by spawn(), and is not to be taken for an orphan, until it was
/// waited for.
class OwnChild {
 public:
  OwnChild() = default;
  /// `before`: an instant before it was there.
  OwnChild(pid_t pid, base::Instant before);
  ~OwnChild() { reset(); }
  OwnChild(OwnChild&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  OwnChild& operator=(OwnChild&& other) noexcept {
    std::swap(pid_, other.pid_);
    return *this;
  }
  /// It was waited for.
  void reset();

 private:
  pid_t pid_ = -1;
};

/// Stands around a clone(): a child that is there may not be known yet.
class SpawnUnderWay {
 public:
  SpawnUnderWay();
  ~SpawnUnderWay();
  SpawnUnderWay(const SpawnUnderWay&) = delete;
  SpawnUnderWay& operator=(const SpawnUnderWay&) = delete;

 private:
  const bool counts_;
};

}  // namespace osiiso::process
