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
    made.own_.append(word) += kNul;
  }
  made.own_.shrink_to_fit();
  made.variables_at_ = made.text_at_ = made.own_.size();
  made.settings_ = std::move(settings);
  return made;
}

Command Command::shell(std::string text, Settings settings) {
  if (text.find_first_not_of(" \t\n\v\f\r") == std::string::npos) {
    throw OptionError("a command must not be empty");
  }
  refuse_nul(text);
  Command made;
  made.shell_text_ = std::make_shared<const std::string>(std::move(text));
  made.settings_ = std::move(settings);
  return made;
}

Command& Command::with_variable(std::string_view name, std::string_view value) {
  if (name.empty() || name.find('=') != std::string_view::npos) {
    throw OptionError("the name of a variable must not be empty or hold a '='");
  }
  if (name.find(kNul) != std::string_view::npos || value.find(kNul) != std::string_view::npos) {
    throw OptionError("a variable must not hold a NUL byte");
  }
  std::string own;
  own.reserve(own_.size() + name.size() + value.size() + 2);
  own.append(own_, 0, text_at_).append(name).append(1, '=').append(value) += kNul;
  const std::size_t text_at = own.size();
  own.append(own_, text_at_);
  own_ = std::move(own);
  text_at_ = text_at;
  return *this;
}

Command& Command::with_settings(Settings settings) {
  settings_ = std::move(settings);
  return *this;
}

Command& Command::with_text(std::string_view text) {
  std::string own;
  own.reserve(text_at_ + text.size());
  own.append(own_, 0, text_at_).append(text);
  own_ = std::move(own);
  return *this;
}

std::vector<std::string> Command::words() const {
  if (shell_text_) return {*shell_text_};
  std::vector<std::string> words;
  for (auto rest = std::string_view(own_).substr(0, variables_at_); !rest.empty();) {
    words.emplace_back(rest.substr(0, rest.find(kNul)));
    rest.remove_prefix(words.back().size() + 1);
  }
  return words;
}

std::string Command::text() const {
  if (text_at_ < own_.size()) return own_.substr(text_at_);
  return shell_text_ ? *shell_text_ : quoted_line(words());
}

const CommandSettings& Command::settings() const {
  static const CommandSettings kDefaults;
  return settings_ ? *settings_ : kDefaults;
}

}  // namespace osiiso
