// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "osiiso/duration.hpp"

#include "base/format.hpp"
#include "cli/options.hpp"

namespace osiiso::cli {

/// A value is none of the words that its option takes.
class UnknownWord : public UsageError {
 public:
  UnknownWord(const std::string& text, std::vector<std::string> words)
      : UsageError(text), words_(std::move(words)) {}

  const std::vector<std::string>& words() const { return words_; }

 private:
  std::vector<std::string> words_;
};

// Each reads the text of an option, whose name is there to blame. They throw `UsageError`.

template <typename Number>
Number parse_number(std::string_view option, std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw UsageError(base::format("{}: '{}' is not a number that fits here", option, text));
  }
  return value;
}

template <typename Value>
Value parse_word(std::string_view option, std::string_view text,
                 const std::map<std::string_view, Value>& words) {
  if (const auto found = words.find(text); found != words.end()) return found->second;
  std::string allowed;
  std::vector<std::string> names;
  for (const auto& [word, value] : words) {
    allowed += (allowed.empty() ? "" : ", ") + std::string(word);
    names.emplace_back(word);
  }
  throw UnknownWord(base::format("{}: '{}' is not one of {}", option, text, allowed),
                    std::move(names));
}

Duration parse_time(std::string_view option, std::string_view text);
bool parse_switch(std::string_view option, std::string_view text);
ReportRequest parse_report(std::string_view option, std::string_view text);

/// `what` it is the path of: `file` or `folder`.
std::string parse_path(std::string_view option, std::string_view text, std::string_view what);

/// The kinds of reports in a sentence: `json, junit CONJUNCTION text`.
std::string list_report_kinds(std::string_view conjunction);

}  // namespace osiiso::cli
