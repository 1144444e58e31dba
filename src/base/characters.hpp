// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <string_view>

// Bytes of text by what ASCII says of them, whatever the locale.
namespace osiiso::base {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

constexpr bool is_alphanumeric(char c) {
  return is_letter(c) || is_digit(c);
}

/// A part of a longer character in UTF-8.
constexpr bool is_beyond_ascii(char c) {
  return static_cast<unsigned char>(c) >= 0x80;
}

/// What the name of a shell's variable is made of; it does not begin with a digit.
constexpr bool is_name_character(char c) {
  return is_alphanumeric(c) || c == '_';
}

/// Whether a shell takes `text` as the name of a variable.
constexpr bool is_variable_name(std::string_view text) {
  return !text.empty() && !is_digit(text.front()) && std::ranges::all_of(text, is_name_character);
}

}  // namespace osiiso::base
