// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace osiiso::job {

/// How a shell reads a place in its text, as far as it matters for putting a value there.
enum class ShellContext : std::uint8_t {
  bare,           ///< outside of quotes
  double_quotes,  ///< in "…"
  single_quotes,  ///< in '…'
  dollar_quotes,  ///< in $'…', where the shell knows that
  here_document,  ///< in the text of a here-document whose word is not quoted
  refused,        ///< where a value cannot be put, or where the shell's reading is not certain
};

/// A placeholder in a shell text.
struct ShellPlace {
  std::size_t offset = 0;
  std::size_t length = 0;
  ShellContext context = ShellContext::bare;
  std::string_view reason;  ///< of `refused`: where it stands, as in `inside backticks`
};

enum class ShellDialect : std::uint8_t {
  posix,     ///< sh and dash; sh may be any shell, so what they read differently is not certain
  extended,  ///< bash and ksh: $'…' is a quote
  zsh,       ///< as extended; `$name[…]` is a subscript
};

/// What reads the command text behind these words (`/bin/sh`, `-c`); none for anything that is not
/// sh, dash, bash, ksh or zsh.
std::optional<ShellDialect> dialect_of(const std::vector<std::string>& shell);

/// The length of the placeholder that begins at this offset, a `{`; 0 where there is none.
using PlaceholderMatcher = std::function<std::size_t(std::size_t offset)>;

/// Finds the placeholders of a command text, with the context of each. None in comments, behind a
/// backslash outside of quotes, or as part of `${…}`'s own braces.
std::vector<ShellPlace> find_in_shell(std::string_view text, ShellDialect dialect,
                                      const PlaceholderMatcher& match);

}  // namespace osiiso::job
