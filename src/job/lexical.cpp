// SPDX-License-Identifier: MIT
#include "job/lexical.hpp"

#include <algorithm>
#include <cstring>

#include "base/format.hpp"
#include "base/text.hpp"

namespace osiiso::job {
namespace {

constexpr std::size_t kLongestLine = std::size_t{16} << 20;
// Far above what is allowed, far below what would hurt: brackets in a text are no nesting, and
// only the parser can tell.
constexpr std::size_t kMostBrackets = 100'000;

bool is_control(unsigned char byte) {
  return (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F;
}

// Where brackets are opened, many more than closed, with nothing in between that a person would
// write; or none.
std::optional<std::size_t> find_bracket_flood(std::string_view text) {
  std::size_t open = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char byte = text[at];
    if (byte == '[' || byte == '{') {
      if (++open > kMostBrackets) return at;
    } else if (byte == ']' || byte == '}') {
      open -= open > 0 ? 1 : 0;
    } else if (byte >= '0') {
      open = 0;
    }
  }
  return std::nullopt;
}

std::optional<std::size_t> find_long_line(std::string_view text) {
  std::size_t begin = 0;
  while (text.size() - begin > kLongestLine) {
    const void* newline = std::memchr(text.data() + begin, '\n', kLongestLine + 1);
    if (newline == nullptr) return begin;
    begin = static_cast<std::size_t>(static_cast<const char*>(newline) - text.data()) + 1;
  }
  return std::nullopt;
}

}  // namespace

bool check_bytes(std::uint32_t file, Diagnostics& diagnostics) {
  const std::string_view text = body_of(diagnostics.sources()[file]);
  const auto refuse = [&](std::size_t offset, std::string why, std::string hint = {}) {
    diagnostics.add_last({file, static_cast<std::uint32_t>(offset)}, std::move(why),
                         std::move(hint));
    return false;
  };
  if (text.size() > kLargestSource) {
    return refuse(0, base::format("the file is larger than {} MiB", kLargestSource >> 20));
  }
  if (const auto at = find_long_line(text)) {
    return refuse(*at, base::format("a line is longer than {} MiB", kLongestLine >> 20));
  }
  if (const auto at = base::find_invalid_utf8(text)) {
    return refuse(*at, base::format("the file is not UTF-8 (byte 0x{:02x})",
                                    static_cast<unsigned char>(text[*at])));
  }
  const auto control = std::ranges::find_if(
      text, [](char byte) { return is_control(static_cast<unsigned char>(byte)); });
  if (control != text.end()) {
    const auto byte = static_cast<unsigned char>(*control);
    return refuse(
        static_cast<std::size_t>(control - text.begin()),
        base::format("control character U+{:04X} is not allowed in YAML", byte),
        byte == 0 ? "" : base::format("in \"double quotes\" it is written \\x{:02x}", byte));
  }
  if (const auto at = find_bracket_flood(text)) {
    return refuse(*at, "nested deeper than 64 levels");
  }
  return true;
}

}  // namespace osiiso::job
