// SPDX-License-Identifier: MIT
#include "process/simple_command.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/characters.hpp"

namespace osiiso::process {
namespace {

// All of dash's, and its reserved words.
constexpr auto kOfTheShell = std::to_array<std::string_view>(
    {"!",     ".",       ":",       "[",        "alias", "bg",       "break",  "case",
     "cd",    "chdir",   "command", "continue", "do",    "done",     "echo",   "elif",
     "else",  "esac",    "eval",    "exec",     "exit",  "export",   "false",  "fc",
     "fg",    "fi",      "for",     "getopts",  "hash",  "if",       "in",     "jobs",
     "kill",  "local",   "printf",  "pwd",      "read",  "readonly", "return", "set",
     "shift", "test",    "then",    "times",    "trap",  "true",     "type",   "ulimit",
     "umask", "unalias", "unset",   "until",    "wait",  "while",    "{",      "}"});
static_assert(std::ranges::is_sorted(kOfTheShell));

// dash gives these values of its own where they are in the environment.
constexpr auto kChangedByTheShell =
    std::to_array<std::string_view>({"IFS", "LINENO", "OPTIND", "PPID"});

constexpr std::string_view kBlanks = " \t";

constexpr bool is_harmless(char c) {
  return base::is_alphanumeric(c) ||
         std::string_view("%+,-./:=@]^_").find(c) != std::string_view::npos;
}

constexpr bool is_harmless_in_quotes(char c) {
  return c == '\t' || (c >= ' ' && c <= '~');
}

/// Takes words from the front of a text. A function that returns false has met something that is
/// for the shell.
class WordReader {
 public:
  WordReader(std::string_view text, const Environment& environment)
      : rest_(text), environment_(environment) {}

  bool read_all(std::vector<std::string>& words) {
    for (skip_blanks(); !rest_.empty(); skip_blanks()) {
      if (!read_word(words.emplace_back())) return false;
    }
    return true;
  }

 private:
  void skip_blanks() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlanks), rest_.size()));
  }

  bool read_word(std::string& word) {
    while (!rest_.empty() && kBlanks.find(rest_.front()) == std::string_view::npos) {
      const char c = take();
      if (c == '\'') {
        if (!read_single_quoted(word)) return false;
      } else if (c == '"') {
        if (!read_double_quoted(word)) return false;
      } else if (is_harmless(c)) {
        word += c;
      } else {
        return false;
      }
    }
    return true;
  }

  bool read_single_quoted(std::string& word) {
    const auto text = take_until('\'');
    if (!text || !std::ranges::all_of(*text, is_harmless_in_quotes)) return false;
    word += *text;
    return true;
  }

  bool read_double_quoted(std::string& word) {
    while (!rest_.empty()) {
      const char c = take();
      if (c == '"') return true;
      if (c == '$') {
        if (!read_variable(word)) return false;
      } else if (c == '`' || c == '\\' || !is_harmless_in_quotes(c)) {
        return false;
      } else {
        word += c;
      }
    }
    return false;
  }

  /// Behind the dollar. The variables of the shell's own all have other names.
  bool read_variable(std::string& word) {
    if (!rest_.starts_with("{OSIISO_")) return false;
    rest_.remove_prefix(1);
    const auto name = take_until('}');
    if (!name || !base::is_variable_name(*name)) return false;
    const auto value = environment_.find(*name);
    if (value) word += *value;
    return value.has_value();
  }

  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  /// What stands before `end`, which is taken too; none where there is no end.
  std::optional<std::string_view> take_until(char end) {
    const std::size_t size = rest_.find(end);
    if (size == std::string_view::npos) return {};
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size + 1);
    return taken;
  }

  std::string_view rest_;
  const Environment& environment_;
};

bool is_program(const std::string& word, const Environment& environment) {
  if (word.empty() || word.front() == '-' || word.front() == '+') return false;
  if (word.find('=') != std::string::npos) return false;
  if (std::ranges::binary_search(kOfTheShell, word)) return false;
  // It does something else in a leader of a group, which it would not be below a shell.
  if (word == "setsid" || word.ends_with("/setsid")) return false;
  if (word.find('/') != std::string::npos) return true;
  const auto path = environment.find("PATH");
  // dash has a default of its own, and options behind a per cent sign.
  return path && !path->empty() && path->find('%') == std::string_view::npos;
}

bool is_handed_on(std::string_view variable) {
  const std::size_t size = variable.find('=');
  if (size == std::string_view::npos) return false;
  const auto name = variable.substr(0, size);
  return base::is_variable_name(name) &&
         std::ranges::find(kChangedByTheShell, name) == kChangedByTheShell.end();
}

// Another one sets variables of its own, takes functions from the environment or has programs built
// in. dash is known best, and is what it is most often.
bool is_dash() {
  std::error_code failed;
  return std::filesystem::canonical("/bin/sh", failed).filename() == "dash";
}

}  // namespace

std::optional<std::vector<std::string>> simple_command(std::string_view text,
                                                       const Environment& environment) {
  text = text.substr(0, text.find_last_not_of(" \t\n") + 1);
  std::vector<std::string> words;
  if (!WordReader(text, environment).read_all(words)) return {};
  if (words.empty() || !is_program(words.front(), environment)) return {};
  return words;
}

bool shell_only_executes(const Environment& environment, const std::string& cwd) {
  static const bool shell_is_known = is_dash();
  if (!shell_is_known) return false;
  if (!std::ranges::all_of(environment.block(), is_handed_on)) return false;
  const auto pwd = environment.find("PWD");
  std::error_code failed;
  return pwd && pwd->starts_with('/') &&
         std::filesystem::equivalent(*pwd, cwd.empty() ? "." : cwd, failed);
}

}  // namespace osiiso::process
