// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "osiiso/duration.hpp"

#include "base/format.hpp"

namespace osiiso::report {

/// JSON, written from left to right into a string; the separators come by themselves.
///
///     JsonText json;
///     json.open('{');
///     json.key("name").text("fetch");
///     json.key("attempts").number(2);
///     json.close('}');             // {"name": "fetch", "attempts": 2}
///
/// What is written is valid UTF-8 whatever the texts are. Brackets must match; nobody checks.
class JsonText {
 public:
  /// `{` or `[`, as a value.
  void open(char bracket);
  void close(char bracket);

  /// The name of an object's next value, which needs no escapes.
  JsonText& key(std::string_view name);
  /// The same for a name that may be any text.
  JsonText& text_key(std::string_view name);

  void null() { raw("null"); }
  void boolean(bool value) { raw(value ? "true" : "false"); }
  void text(std::string_view value);
  /// Null for an empty text.
  void text_or_null(std::string_view value);
  /// In seconds.
  void time(Duration value) { raw(format_seconds(value)); }
  void time_or_null(std::optional<Duration> value);
  /// Null for what is no number in JSON: an infinity or NaN.
  void number(double value);
  template <std::integral Integer>
  void number(Integer value) {
    separate();
    base::format_to(text_, "{}", value);
  }
  template <std::integral Integer>
  void number(std::optional<Integer> value) {
    value ? number(*value) : null();
  }
  void tree(const nlohmann::json& value);
  /// JSON that is written already.
  void raw(std::string_view json);

  /// Goes on in a new line, after the separator if one is due.
  void new_line();

  /// Whether a text since the last call was no UTF-8, so that it was written with U+FFFD in it.
  bool take_replaced();

  const std::string& written() const { return text_; }
  /// Forgets what was written so far, which has gone elsewhere, and goes on from there.
  void clear() { text_.clear(); }

 private:
  void separate();
  void append_string(std::string_view value);

  std::string text_;
  bool separator_due_ = false;
  bool replaced_ = false;
};

}  // namespace osiiso::report
