// SPDX-License-Identifier: MIT
#include "job/shell_commands.hpp"

#include <algorithm>
#include <array>

namespace osiiso::job {
namespace {

// Words after which the shell still expects a command.
bool keeps_command_position(std::string_view word) {
  constexpr auto kWords = std::to_array<std::string_view>(
      {"if", "then", "elif", "else", "fi", "while", "until", "do", "done", "{", "}", "!", "time"});
  return std::ranges::find(kWords, word) != kWords.end();
}

}  // namespace

void CommandList::end_word() {
  if (!in_word_) return;
  if (redirects_) {
    redirects_ = false;
  } else {
    take_word(is_plain_ ? std::string_view(word_) : std::string_view());
  }
  word_.clear();
  in_word_ = false;
  is_plain_ = true;
}

void CommandList::take_word(std::string_view word) {
  if (!cases_.empty() && cases_.back() != Case::body) {
    Case& state = cases_.back();
    if (state == Case::subject) {
      state = Case::expects_in;
    } else if (state == Case::expects_in) {
      if (word == "in") state = Case::pattern;
    } else if (word == "esac") {
      cases_.pop_back();
      at_command_ = true;
    }
    return;
  }
  if (!at_command_) {
    at_command_ = word == "{";  // as in `function f {`
    return;
  }
  if (word == "case") {
    cases_.push_back(Case::subject);
    at_command_ = false;
  } else if (word == "esac" && !cases_.empty()) {
    cases_.pop_back();
  } else {
    at_command_ = keeps_command_position(word);
  }
}

}  // namespace osiiso::job
