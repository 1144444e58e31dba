// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>

namespace osiiso {

/// Tells a task from all others, of other runs too. Written as 32 hex digits, which is made only
/// when it is asked for: wherever a text is expected, and by `text()`.
class TaskId {
 public:
  TaskId() = default;
  TaskId(std::uint64_t high, std::uint64_t low) : high_(high), low_(low) {}

  std::string text() const;
  operator std::string() const {  // NOLINT(google-explicit-constructor): it is written as a text
    return text();
  }

  bool operator==(const TaskId&) const = default;
  bool operator==(std::string_view digits) const { return text() == digits; }
  friend std::ostream& operator<<(std::ostream& out, const TaskId& id);

 private:
  std::uint64_t high_ = 0;
  std::uint64_t low_ = 0;
};

}  // namespace osiiso
