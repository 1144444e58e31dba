// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace osiiso::base {

/// Offset of the first byte that is not part of well-formed UTF-8 (no overlong forms, no
/// surrogates, nothing above U+10FFFF), or none.
std::optional<std::size_t> find_invalid_utf8(std::string_view text);

/// Valid UTF-8: every maximal ill-formed part becomes one U+FFFD, as Unicode recommends.
std::string replace_invalid_utf8(std::string_view text);

/// Valid UTF-8 that cannot drive a terminal: control characters (C0 but tab, DEL, C1) and the
/// bidirectional controls are shown as `\n`, `\x1b`, `\u202e`. A tab becomes a space.
std::string escape_controls(std::string_view text);

/// The same for what is shown as it was printed: lines, tabs and colours (`ESC [ … m`) stay, and no
/// colour goes on after it.
std::string escape_all_but_colours(std::string_view text);

/// Columns that a terminal needs for `text` (valid UTF-8): 2 for wide characters, 0 for combining.
std::size_t display_width(std::string_view text);

/// `text` if it fits into `columns`, else its beginning with `…` at the end.
std::string cut_to_width(std::string_view text, std::size_t columns);

/// The last line that has more than white space; lines end at \n or \r. Empty if there is none.
std::string_view last_line(std::string_view text);

/// The candidate that a mistyped `word` most likely means, or none when nothing is near.
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates);

/// `word` as a POSIX shell needs it to be read as one word: unchanged where that is safe.
std::string shell_quote(std::string_view word);

/// `SIGSEGV` for 11; `SIGRTMIN+3` and the like for real-time signals.
std::string signal_name(int signal);

/// `Segmentation fault` for 11, whatever the locale.
std::string signal_description(int signal);

}  // namespace osiiso::base
