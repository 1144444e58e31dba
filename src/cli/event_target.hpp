// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/descriptor.hpp"

namespace osiiso::cli {

/// Where `--events FILE|fd:N` leads.
class EventTarget {
 public:
  /// Throws `UsageError`, with `option` to blame, where there is no such descriptor to write to: to
  /// be called before the program opens one that takes its number.
  EventTarget(std::string_view option, std::string_view text);

  bool is_stdout() const;
  /// Whether it is a file, and this is its path, too.
  bool is_file(const std::string& path) const;

  const std::string& text() const { return text_; }
  /// Makes the file, or empties it. A FIFO that nobody reads is waited for. Throws `UsageError`.
  base::Descriptor open() const;

 private:
  base::Descriptor open_file() const;

  std::string option_;
  std::string text_;
  std::optional<int> descriptor_;
};

}  // namespace osiiso::cli
