// SPDX-License-Identifier: MIT
#include "cli/option_adder.hpp"

#include <algorithm>
#include <utility>

#include <CLI/CLI.hpp>

#include "cli/option_values.hpp"
#include "cli/variable.hpp"

namespace osiiso::cli {
namespace {

std::string long_name(const std::string& names) {
  return names.substr(names.rfind(',') + 1);
}

}  // namespace

void OptionAdder::begin_section(const std::string& title) {
  app_.option_defaults()->group(title);
}

void OptionAdder::add(const std::string& names, const std::string& value_name,
                      const std::string& description, const Parse& parse) {
  const std::string name = long_name(names);
  add_twin(
      name, parse,
      app_.add_option_function<std::string>(
              names, [name, parse](const std::string& text) { parse(name, text); }, description)
          ->type_name(value_name)
          ->take_last());
}

void OptionAdder::each(const std::string& names, const std::string& value_name,
                       const std::string& description, const Parse& parse) {
  const std::string name = long_name(names);
  const auto parse_all = [name, parse](const std::vector<std::string>& texts) {
    for (const auto& text : texts) parse(name, text);
  };
  add_twin(name, parse,
           app_.add_option_function<std::vector<std::string>>(names, parse_all, description)
               ->option_text(value_name)
               ->allow_extra_args(false));
}

void OptionAdder::flag(const std::string& names, const std::string& description,
                       const std::function<void(bool is_on)>& set) {
  add_twin(
      long_name(names), [set](auto option, auto text) { set(parse_switch(option, text)); },
      app_.add_flag_callback(
              names, [set] { set(true); }, description)
          ->disable_flag_override());
}

void OptionAdder::flag(const std::string& names, bool& target, const std::string& description) {
  flag(names, description, [&target](bool is_on) { target = is_on; });
}

void OptionAdder::operand(const std::string& name, const std::string& description,
                          const Parse& parse) {
  const auto* option =
      app_.add_option_function<std::string>(
              name, [name, parse](const std::string& text) { parse(name, text); }, description)
          ->option_text(" ");
  twins_.push_back({{}, option, parse});
}

void OptionAdder::take_environment() const {
  for (const auto& [name, option, parse] : twins_) {
    if (name.empty() || option->count() > 0) continue;
    const auto text = variable(name.c_str());
    if (!text.empty()) parse(name, text);
  }
}

std::vector<std::string> OptionAdder::words_of(const CLI::Option* option) const {
  const auto twin = std::ranges::find(twins_, option, &Twin::option);
  if (twin == twins_.end() || option->get_expected_max() == 0) return {};
  try {
    twin->parse("", "");
  } catch (const UnknownWord& error) {
    return error.words();
  } catch (const UsageError&) {
  }
  return {};
}

void OptionAdder::add_twin(std::string_view long_name, Parse parse, const CLI::Option* option) {
  std::string name = "OSIISO_";
  for (const char c : long_name.substr(2)) {
    name += c == '-' ? '_' : static_cast<char>(c - 'a' + 'A');
  }
  twins_.push_back({std::move(name), option, std::move(parse)});
}

}  // namespace osiiso::cli
