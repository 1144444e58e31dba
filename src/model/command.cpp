// SPDX-License-Identifier: MIT
#include "osiiso/command.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace osiiso {
namespace {

constexpr char kNul = '\0';

void refuse_nul(std::string_view text) {
  if (text.find(kNul) != std::string_view::npos) {
    throw OptionError("a command must not hold a NUL byte");
  }
}

// In front of a command the shell takes more for its own than it does elsewhere.
bool is_special_in_front(std::string_view word) {
  constexpr auto kReserved =
      std::to_array<std::string_view>({"case", "do", "done", "elif", "else", "esac", "fi", "for",
                                       "if", "in", "then", "until", "while"});
  return word.find('=') != std::string_view::npos ||
         std::ranges::find(kReserved, word) != kReserved.end();
}

std::string quoted_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    std::string quoted = base::shell_quote(word);
    const bool is_bare = quoted == word;
    if (line.empty() && is_bare && is_special_in_front(word)) quoted = '\'' + word + '\'';
    line += quoted;
  }
  return line;
}

}  // namespace

Command Command::argv(const std::vector<std::string>& words, Settings settings) {
  if (words.empty()) throw OptionError("a command must not be empty");
  Command made;
  for (const std::string& word : words) {
    refuse_nul(word);
    made.words_.append(word) += kNul;
  }
  made.settings_ = std::move(settings);
  return made;
}

Command Command::shell(std::string text, Settings settings) {
  if (text.find_first_not_of(" \t\n\v\f\r") == std::string::npos) {
    throw OptionError("a command must not be empty");
  }
  refuse_nul(text);
  Command made;
  made.words_ = std::move(text);
  made.words_ += kNul;
  made.settings_ = std::move(settings);
  made.is_shell_ = true;
  return made;
}

Command& Command::with_variable(std::string_view name, std::string_view value) {
  if (name.empty() || name.find('=') != std::string_view::npos) {
    throw OptionError("the name of a variable must not be empty or hold a '='");
  }
  if (name.find(kNul) != std::string_view::npos || value.find(kNul) != std::string_view::npos) {
    throw OptionError("a variable must not hold a NUL byte");
  }
  variables_.append(name).append(1, '=').append(value) += kNul;
  return *this;
}

Command& Command::with_text(std::string text) {
  text_ = std::move(text);
  return *this;
}

std::vector<std::string> Command::words() const {
  std::vector<std::string> words;
  for (std::string_view rest = words_; !rest.empty();) {
    words.emplace_back(rest.substr(0, rest.find(kNul)));
    rest.remove_prefix(words.back().size() + 1);
  }
  return words;
}

std::string Command::text() const {
  if (!text_.empty()) return text_;
  return is_shell_ ? words_.substr(0, words_.size() - 1) : quoted_line(words());
}

const CommandSettings& Command::settings() const {
  static const CommandSettings kDefaults;
  return settings_ ? *settings_ : kDefaults;
}

}  // namespace osiiso
