// SPDX-License-Identifier: MIT
#include "report/json_text.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace osiiso::report {
namespace {

// The first of the two bytes of U+0080 to U+00BF.
constexpr char kLeadOfC1 = '\xC2';

// DEL and the controls from U+0080 to U+009F need none in JSON, but there are terminals that obey
// them.
bool needs_escape(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\' || c == '\x7f' ||
         c == kLeadOfC1;
}

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      base::format_to(out, "\\u{:04x}", static_cast<unsigned>(c));
  }
}

/// The character of kLeadOfC1 and `second`, whose value is that of its second byte.
void append_after_lead(std::string& out, char second) {
  const auto value = static_cast<unsigned char>(second);
  if (value < 0xA0) {
    base::format_to(out, "\\u{:04x}", value);
  } else {
    out += kLeadOfC1;
    out += second;
  }
}

}  // namespace

void JsonText::open(char bracket) {
  separate();
  text_ += bracket;
  separator_due_ = false;
}

void JsonText::close(char bracket) {
  text_ += bracket;
  separator_due_ = true;
}

JsonText& JsonText::key(std::string_view name) {
  separate();
  text_.append(1, '"').append(name).append("\": ");
  separator_due_ = false;
  return *this;
}

JsonText& JsonText::text_key(std::string_view name) {
  separate();
  append_string(name);
  text_ += ": ";
  separator_due_ = false;
  return *this;
}

void JsonText::text(std::string_view value) {
  separate();
  append_string(value);
}

void JsonText::text_or_null(std::string_view value) {
  value.empty() ? null() : text(value);
}

void JsonText::time_or_null(std::optional<Duration> value) {
  value ? time(*value) : null();
}

void JsonText::number(double value) {
  std::isfinite(value) ? raw(base::format("{}", value)) : null();
}

void JsonText::tree(const nlohmann::json& value) {
  try {
    raw(value.dump());
  } catch (const nlohmann::json::type_error&) {  // what dump() says of text that is no UTF-8
    raw(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    replaced_ = true;
  }
}

void JsonText::raw(std::string_view json) {
  separate();
  text_ += json;
}

void JsonText::new_line() {
  text_ += std::exchange(separator_due_, false) ? ",\n " : "\n ";
}

bool JsonText::take_replaced() {
  return std::exchange(replaced_, false);
}

void JsonText::separate() {
  if (separator_due_) text_ += ", ";
  separator_due_ = true;
}

void JsonText::append_string(std::string_view value) {
  if (base::find_invalid_utf8(value)) {
    replaced_ = true;
    return append_string(base::replace_invalid_utf8(value));
  }
  text_ += '"';
  for (auto at = value.begin(); at != value.end();) {
    const auto plain_end = std::find_if(at, value.end(), needs_escape);
    text_.append(at, plain_end);
    if (plain_end == value.end()) break;
    at = plain_end + 1;
    if (*plain_end == kLeadOfC1) {
      append_after_lead(text_, *at++);  // in valid UTF-8 there is one
    } else {
      append_escape(text_, *plain_end);
    }
  }
  text_ += '"';
}

}  // namespace osiiso::report
