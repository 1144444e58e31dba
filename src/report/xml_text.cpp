// SPDX-License-Identifier: MIT
#include "report/xml_text.hpp"

#include <cstddef>

#include "base/text.hpp"

namespace osiiso::report {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

enum class Place { element, attribute };

/// How long the sequence at the beginning of `text` is that a terminal would obey; 0: there is none
/// of the usual form `ESC [ parameters final`.
std::size_t terminal_sequence_length(std::string_view text) {
  if (!text.starts_with("\x1b[")) return 0;
  const auto final = text.find_first_not_of("0123456789;:<=>? !\"#$%&'()*+,-./", 2);
  if (final == std::string_view::npos || text[final] < '@' || text[final] > '~') return 0;
  return final + 1;
}

/// U+FFFE and U+FFFF are Unicode, but no XML.
bool is_noncharacter(std::string_view text) {
  return text.starts_with("\xEF\xBF\xBE") || text.starts_with("\xEF\xBF\xBF");
}

/// What stands for `c`; empty: the character itself.
std::string_view replacement_of(char c, Place place) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return place == Place::attribute ? "&quot;" : "";
    case '\t':
      return place == Place::attribute ? "&#9;" : "";
    case '\n':
      return place == Place::attribute ? "&#10;" : "";
    case '\r':
      return "&#13;";
    default:
      return static_cast<unsigned char>(c) < 0x20 ? kReplacement : "";
  }
}

std::string escaped(std::string_view text, Place place) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    if (const auto length = terminal_sequence_length(text); length > 0) {
      text.remove_prefix(length);
    } else if (is_noncharacter(text)) {
      out += kReplacement;
      text.remove_prefix(kReplacement.size());
    } else {
      const auto replacement = replacement_of(text.front(), place);
      replacement.empty() ? out += text.front() : out += replacement;
      text.remove_prefix(1);
    }
  }
  return out;
}

std::string escaped_utf8(std::string_view text, Place place) {
  if (!base::find_invalid_utf8(text)) return escaped(text, place);
  return escaped(base::replace_invalid_utf8(text), place);
}

}  // namespace

std::string xml_text(std::string_view text) {
  return escaped_utf8(text, Place::element);
}

std::string xml_attribute(std::string_view text) {
  return escaped_utf8(text, Place::attribute);
}

}  // namespace osiiso::report
