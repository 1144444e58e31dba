// SPDX-License-Identifier: MIT
#include "osiiso/command.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "base/text.hpp"

namespace osiiso {
namespace {

// With what a task's body keeps of it that makes 56 bytes, which an allocator gives in 64.
static_assert(sizeof(Command) <= 40, "a million may wait");

constexpr char kNul = '\0';

void refuse_nul(std::string_view text) {
  if (text.find(kNul) != std::string_view::npos) {
    throw OptionError("a command must not hold a NUL byte");
  }
}

std::uint32_t size_of(std::string_view text) {
  if (text.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw OptionError("a command must not be longer than 4 GiB");
  }
  return static_cast<std::uint32_t>(text.size());
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

Command::Texts::Texts(std::string_view words, std::string_view variables, std::string_view text)
    : words_size_(size_of(words)), variables_size_(size_of(variables)), text_size_(size_of(text)) {
  const std::size_t size = words.size() + variables.size() + text.size();
  if (size == 0) return;
  bytes_.reset(new char[size]);
  char* end = bytes_.get();
  for (const std::string_view part : {words, variables, text}) {
    end = std::ranges::copy(part, end).out;
  }
}

Command Command::argv(const std::vector<std::string>& words, Settings settings) {
  if (words.empty()) throw OptionError("a command must not be empty");
  std::string joined;
  for (const std::string& word : words) {
    refuse_nul(word);
    joined.append(word) += kNul;
  }
  return {Texts(joined, {}, {}), std::move(settings)};
}

Command Command::shell(std::string text, Settings settings) {
  if (text.find_first_not_of(" \t\n\v\f\r") == std::string::npos) {
    throw OptionError("a command must not be empty");
  }
  refuse_nul(text);
  return {{}, std::make_shared<const Shell>(Shell{std::move(text), std::move(settings)})};
}

Command& Command::with_variable(std::string_view name, std::string_view value) {
  if (name.empty() || name.find('=') != std::string_view::npos) {
    throw OptionError("the name of a variable must not be empty or hold a '='");
  }
  if (name.find(kNul) != std::string_view::npos || value.find(kNul) != std::string_view::npos) {
    throw OptionError("a variable must not hold a NUL byte");
  }
  std::string variables(own_.variables());
  variables.append(name).append(1, '=').append(value) += kNul;
  own_ = Texts(own_.words(), variables, own_.text());
  return *this;
}

Command& Command::with_settings(Settings settings) {
  if (settings.get() == own_settings()) return *this;
  if (const Shell* shell = of_shell()) {
    shared_ = std::make_shared<const Shell>(Shell{shell->text, std::move(settings)});
  } else if (!own_.words().empty()) {  // not of one that was moved away
    shared_ = std::move(settings);
  }
  return *this;
}

Command& Command::with_text(std::string_view text) {
  own_ = Texts(own_.words(), own_.variables(), text);
  return *this;
}

std::vector<std::string> Command::words() const {
  if (const Shell* shell = of_shell()) return {shell->text};
  std::vector<std::string> words;
  for (auto rest = own_.words(); !rest.empty();) {
    words.emplace_back(rest.substr(0, rest.find(kNul)));
    rest.remove_prefix(words.back().size() + 1);
  }
  return words;
}

std::string Command::text() const {
  if (!own_.text().empty()) return std::string(own_.text());
  const Shell* shell = of_shell();
  return shell != nullptr ? shell->text : quoted_line(words());
}

const CommandSettings* Command::own_settings() const {
  const Shell* shell = of_shell();
  return shell != nullptr ? shell->settings.get()
                          : static_cast<const CommandSettings*>(shared_.get());
}

const CommandSettings& Command::settings() const {
  static const CommandSettings kDefaults;
  const CommandSettings* own = own_settings();
  return own != nullptr ? *own : kDefaults;
}

}  // namespace osiiso
