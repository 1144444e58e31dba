// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace osiiso {

/// A text that never changes, and that copies share: the name of a group stands in the result of
/// each member. Can be used wherever a `const std::string&` can.
class SharedText {
 public:
  /// Empty.
  SharedText() = default;
  SharedText(std::string text)  // NOLINT(google-explicit-constructor): a text is one
      : text_(text.empty() ? nullptr : std::make_shared<const std::string>(std::move(text))) {}
  SharedText(const char* text) : SharedText(std::string(text)) {}  // NOLINT: likewise

  const std::string& str() const {
    static const std::string kEmpty;
    return text_ ? *text_ : kEmpty;
  }
  operator const std::string&() const { return str(); }  // NOLINT: likewise
  operator std::string_view() const { return str(); }    // NOLINT: likewise
  bool empty() const { return text_ == nullptr; }

  bool operator==(const SharedText& other) const { return str() == other.str(); }
  bool operator==(const std::string& text) const { return str() == text; }
  bool operator==(std::string_view text) const { return str() == text; }
  bool operator==(const char* text) const { return str() == text; }
  friend std::ostream& operator<<(std::ostream& out, const SharedText& text) {
    return out << text.str();
  }

 private:
  std::shared_ptr<const std::string> text_;  // null: empty
};

}  // namespace osiiso
