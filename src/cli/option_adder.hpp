// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace osiiso::cli {

/// Adds options to a command, each with its twin in the environment.
class OptionAdder {
 public:
  /// What takes an option's text; `option` is its name, or its twin's, to blame where it is wrong.
  using Parse = std::function<void(std::string_view option, std::string_view text)>;

  explicit OptionAdder(CLI::App& app) : app_(app) {}

  /// What is added from now on stands below this title in the help.
  void begin_section(const std::string& title);

  /// `names` as CLI11 takes them, the long one last.
  void add(const std::string& names, const std::string& value_name, const std::string& description,
           const Parse& parse);

  /// An option that may be given several times; its twin gives one.
  void each(const std::string& names, const std::string& value_name, const std::string& description,
            const Parse& parse);

  void flag(const std::string& names, const std::string& description,
            const std::function<void(bool is_on)>& set);
  void flag(const std::string& names, bool& target, const std::string& description);

  /// What may stand without an option. It has no twin.
  void operand(const std::string& name, const std::string& description, const Parse& parse);

  /// Reads the twins of the options that the command line left out. An empty one says nothing.
  void take_environment() const;

  /// The words that an option takes: what its own parser says of a value that is none.
  std::vector<std::string> words_of(const CLI::Option* option) const;

 private:
  struct Twin {
    std::string name;  // empty: none, of an operand
    const CLI::Option* option;
    Parse parse;
  };

  void add_twin(std::string_view long_name, Parse parse, const CLI::Option* option);

  CLI::App& app_;
  std::vector<Twin> twins_;
};

}  // namespace osiiso::cli
