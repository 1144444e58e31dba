// SPDX-License-Identifier: MIT
#include "base/text.hpp"

#include <string.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <vector>

#include "base/characters.hpp"
#include "base/format.hpp"
#include "base/width_table.hpp"

namespace osiiso::base {
namespace {

constexpr std::string_view kEllipsis = "…";  // one column
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr char32_t kReplacementCharacter = 0xFFFD;

struct Decoded {
  char32_t character = kReplacementCharacter;
  std::size_t length = 1;  // of an ill-formed part: its maximal extent, which becomes one U+FFFD
  bool valid = false;
};

// What may follow a lead byte: how many bytes, and the range of the first of them, which is what
// keeps out overlong forms, surrogates and everything above U+10FFFF (Unicode, table 3-7).
struct Lead {
  std::size_t following;
  unsigned char low;
  unsigned char high;
};

constexpr Lead lead_of(unsigned char byte) {
  if (byte < 0xC2 || byte > 0xF4) return {0, 0, 0};
  if (byte < 0xE0) return {1, 0x80, 0xBF};
  if (byte < 0xF0) {
    return {2, static_cast<unsigned char>(byte == 0xE0 ? 0xA0 : 0x80),
            static_cast<unsigned char>(byte == 0xED ? 0x9F : 0xBF)};
  }
  return {3, static_cast<unsigned char>(byte == 0xF0 ? 0x90 : 0x80),
          static_cast<unsigned char>(byte == 0xF4 ? 0x8F : 0xBF)};
}

Decoded decode(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  if (first < 0x80) return {first, 1, true};
  const Lead lead = lead_of(first);
  if (lead.following == 0) return {};

  char32_t character = first & (0x3FU >> lead.following);
  for (std::size_t i = 1; i <= lead.following; ++i) {
    const unsigned char low = i == 1 ? lead.low : 0x80;
    const unsigned char high = i == 1 ? lead.high : 0xBF;
    if (at + i >= text.size() || byte(at + i) < low || byte(at + i) > high) {
      return {kReplacementCharacter, i, false};
    }
    character = character << 6 | (byte(at + i) & 0x3FU);
  }
  return {character, lead.following + 1, true};
}

bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

bool is_bidirectional_control(char32_t c) {
  return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069);
}

void append_escaped(std::string& out, char32_t c) {
  if (c == '\n') {
    out += "\\n";
  } else if (c == '\r') {
    out += "\\r";
  } else if (c == '\t') {
    out += ' ';
  } else if (c < 0x80) {
    format_to(out, "\\x{:02x}", static_cast<unsigned>(c));
  } else {
    format_to(out, "\\u{:04x}", static_cast<unsigned>(c));
  }
}

/// The character at `at`, escaped if it must be. How long it is in `text`.
std::size_t append_escaped_at(std::string& out, std::string_view text, std::size_t at) {
  const Decoded next = decode(text, at);
  if (!next.valid) {
    out += kReplacement;
  } else if (is_control(next.character) || is_bidirectional_control(next.character)) {
    append_escaped(out, next.character);
  } else {
    out += text.substr(at, next.length);
  }
  return next.length;
}

/// Of the sequence that sets colours at the beginning of `text`; 0: there is none.
std::size_t colour_length(std::string_view text) {
  constexpr std::string_view kIntroducer = "\x1b[";
  if (!text.starts_with(kIntroducer)) return 0;
  const auto end = text.find_first_not_of("0123456789;:", kIntroducer.size());
  return end != std::string_view::npos && text[end] == 'm' ? end + 1 : 0;
}

bool contains(std::span<const Range> ranges, char32_t c) {
  const auto after = std::ranges::upper_bound(ranges, c, {}, &Range::first);
  return after != ranges.begin() && c <= std::prev(after)->last;
}

std::size_t columns_of(char32_t c) {
  if (is_control(c)) return 0;
  if (c < 0x300) return 1;
  if (contains(kZeroWidth, c)) return 0;
  return contains(kDoubleWidth, c) ? 2 : 1;
}

char lowered(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Damerau-Levenshtein distance (of optimal string alignments), upper and lower case alike.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;

  const auto same = [&](std::size_t i, std::size_t j) { return lowered(a[i]) == lowered(b[j]); };
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (same(i - 1, j - 1) ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && same(i - 1, j - 2) && same(i - 2, j - 1)) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\v\f") == std::string_view::npos;
}

bool is_shell_safe(char c) {
  return is_alphanumeric(c) || std::string_view("_@%+=:,./-").find(c) != std::string_view::npos;
}

}  // namespace

std::optional<std::size_t> find_invalid_utf8(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  for (std::size_t at = 0; at < text.size();) {
    // Nearly all text is ASCII, so eight bytes are looked at in one go where there are as many.
    std::uint64_t eight = kHighBits;
    if (text.size() - at >= sizeof eight) memcpy(&eight, text.data() + at, sizeof eight);
    if ((eight & kHighBits) == 0) {
      at += sizeof eight;
      continue;
    }
    const Decoded next = decode(text, at);
    if (!next.valid) return at;
    at += next.length;
  }
  return std::nullopt;
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (const auto invalid = find_invalid_utf8(text)) {
    out.append(text.substr(0, *invalid)).append(kReplacement);
    text.remove_prefix(*invalid + decode(text, *invalid).length);
  }
  return out.append(text);
}

std::string escape_controls(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) at += append_escaped_at(out, text, at);
  return out;
}

std::string escape_all_but_colours(std::string_view text) {
  constexpr std::string_view kKept = "\n\r\t";
  constexpr std::string_view kNoColour = "\x1b[0m";
  std::string out;
  out.reserve(text.size());
  bool has_colours = false;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = kKept.find(text[at]) == std::string_view::npos ? 0 : 1;
    if (length == 0) {
      length = colour_length(text.substr(at));
      has_colours |= length > 0;
    }
    out += text.substr(at, length);
    at += length > 0 ? length : append_escaped_at(out, text, at);
  }
  if (has_colours) out += kNoColour;
  return out;
}

std::size_t display_width(std::string_view text) {
  std::size_t columns = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Decoded next = decode(text, at);
    columns += columns_of(next.character);
    at += next.length;
  }
  return columns;
}

std::string cut_to_width(std::string_view text, std::size_t columns) {
  std::size_t used = 0;
  std::size_t kept = 0;  // bytes after which the ellipsis still fits
  for (std::size_t at = 0; at < text.size();) {
    const Decoded next = decode(text, at);
    used += columns_of(next.character);
    at += next.length;
    if (used < columns) kept = at;
    if (used <= columns) continue;
    if (columns == 0) return {};
    return std::string(text.substr(0, kept)).append(kEllipsis);
  }
  return std::string(text);
}

std::string_view last_line(std::string_view text) {
  while (!text.empty()) {
    const std::size_t line_end = text.find_last_of("\n\r");
    const std::size_t start = line_end == std::string_view::npos ? 0 : line_end + 1;
    if (!is_blank(text.substr(start))) return text.substr(start);
    text = text.substr(0, start == 0 ? 0 : line_end);
  }
  return {};
}

std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates) {
  std::optional<std::string_view> best;
  std::size_t best_distance = 0;
  for (const std::string_view candidate : candidates) {
    const std::size_t shorter = std::min(word.size(), candidate.size());
    const std::size_t longer = std::max(word.size(), candidate.size());
    // One mistake in three letters. Two words of one letter have nothing in common but that.
    const std::size_t allowed = longer <= 1 ? 0 : std::max<std::size_t>(longer / 3, 1);
    if (longer - shorter > allowed) continue;  // also keeps long words cheap
    const std::size_t distance = edit_distance(word, candidate);
    if (distance > allowed || (best && distance >= best_distance)) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

std::string shell_quote(std::string_view word) {
  if (!word.empty() && std::ranges::all_of(word, is_shell_safe)) return std::string(word);
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out += '\'';
}

std::string signal_name(int signal) {
  if (const char* abbreviation = sigabbrev_np(signal)) return std::string("SIG") + abbreviation;
  if (signal == SIGRTMIN) return "SIGRTMIN";
  if (signal > SIGRTMIN && signal <= SIGRTMAX) return format("SIGRTMIN+{}", signal - SIGRTMIN);
  return format("signal {}", signal);
}

std::string signal_description(int signal) {
  if (const char* description = sigdescr_np(signal)) return description;
  return format("Real-time signal {}", signal - SIGRTMIN);
}

}  // namespace osiiso::base
