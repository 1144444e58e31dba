// SPDX-License-Identifier: MIT
#include "cli/option_values.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "job/diagnostics.hpp"
#include "report/report.hpp"

namespace osiiso::cli {
namespace {

auto report_kind_names() {
  std::array<std::string_view, report::kKinds.size()> names;
  std::ranges::transform(report::kKinds, names.begin(),
                         [](const auto& each) { return each.first; });
  return names;
}

[[noreturn]] void refuse_report_kind(std::string_view option, std::string_view word) {
  const auto names = report_kind_names();
  std::string near;
  if (const auto nearest = base::nearest(word, names)) {
    near = base::format("; did you mean '{}'?", *nearest);
  }
  std::vector<std::string> beginnings(names.begin(), names.end());
  for (auto& beginning : beginnings) beginning += '=';
  throw UnknownWord(base::format("{}: there is no kind of report '{}', only {}{}", option, word,
                                 list_report_kinds("and"), near),
                    std::move(beginnings));
}

}  // namespace

Duration parse_time(std::string_view option, std::string_view text) {
  try {
    return parse_duration(text);
  } catch (const OptionError& error) {
    throw UsageError(base::format("{}: {}", option, error.what()));
  }
}

bool parse_switch(std::string_view option, std::string_view text) {
  return parse_word<bool>(option, text,
                          {{"0", false},
                           {"1", true},
                           {"false", false},
                           {"no", false},
                           {"off", false},
                           {"on", true},
                           {"true", true},
                           {"yes", true}});
}

ReportRequest parse_report(std::string_view option, std::string_view text) {
  const auto equals = text.find('=');
  const std::string_view word = text.substr(0, equals);
  for (const auto& [name, kind] : report::kKinds) {
    if (name != word) continue;
    if (equals == std::string_view::npos || equals + 1 == text.size()) {
      throw UsageError(base::format("{}: '{}' needs a file, as in {}=FILE", option, text, name));
    }
    return {kind, std::string(text.substr(equals + 1))};
  }
  refuse_report_kind(option, word);
}

std::string parse_path(std::string_view option, std::string_view text, std::string_view what) {
  if (text.empty()) throw UsageError(base::format("{} needs the name of a {}", option, what));
  return std::string(text);
}

std::string list_report_kinds(std::string_view conjunction) {
  return job::listed(report_kind_names(), conjunction);
}

}  // namespace osiiso::cli
