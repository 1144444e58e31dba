// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace osiiso::job {

/// A `<<` of a command line; its text follows the line.
struct HereDocument {
  std::string delimiter;
  bool is_quoted = false;
  bool strips_tabs = false;
};

/// Where the shell stands in one list of commands: the whole text, or what is inside `( )`. All of
/// this serves one question: does a `)` close the list, or end a pattern of a `case`?
class CommandList {
 public:
  /// Whether a word has begun and not ended.
  bool in_word() const { return in_word_; }
  /// Whether a word that begins here can be a command or a reserved word.
  bool at_command() const { return at_command_ && !in_word_; }
  /// Whether a `)` here ends a pattern.
  bool in_pattern() const { return !cases_.empty() && cases_.back() == Case::pattern; }

  /// The word goes on: with a character, or with a quote or expansion.
  void add_plain(char c) {
    in_word_ = true;
    word_ += c;
  }
  void add_other() {
    in_word_ = true;
    is_plain_ = false;
  }
  void end_word();
  /// The next word is a file or the like, and no command.
  void begin_redirection() { redirects_ = true; }
  /// After `;`, a newline and the like.
  void separate() { at_command_ = true; }
  /// After `;;`.
  void end_case_item() {
    if (!cases_.empty() && cases_.back() == Case::body) cases_.back() = Case::pattern;
    at_command_ = true;
  }
  /// After the `)` of a pattern.
  void end_pattern() {
    cases_.back() = Case::body;
    at_command_ = true;
  }

  std::vector<HereDocument> pending;  // their texts follow the line

 private:
  enum class Case : std::uint8_t { subject, expects_in, pattern, body };

  void take_word(std::string_view word);

  std::vector<Case> cases_;
  std::string word_;
  bool in_word_ = false;
  bool is_plain_ = true;  // the word has no quotes and no expansion
  bool at_command_ = true;
  bool redirects_ = false;  // the next word is a file
};

}  // namespace osiiso::job
