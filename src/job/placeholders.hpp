// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "osiiso/command.hpp"

#include "job/shell_lexer.hpp"

namespace osiiso::job {

/// What one task of a `map()` is given: a value, several, or values with names. Any bytes but NUL.
class Input {
 public:
  enum class Kind : std::uint8_t { scalar, list, mapping };
  using Entry = std::pair<std::string_view, std::string_view>;  // name and value

  /// Throw `OptionError` where a value holds a NUL byte.
  static Input scalar(std::string value);
  static Input list(std::span<const std::string_view> values);
  static Input mapping(std::span<const Entry> entries);

  Kind kind() const { return kind_; }
  /// How many values.
  std::size_t size() const { return size_; }
  /// The value of that index, from 0.
  std::optional<std::string_view> value(std::size_t index) const;
  std::optional<std::string_view> value(std::string_view name) const;
  std::vector<std::string_view> names() const;

 private:
  void append(std::string_view field);

  std::string fields_;  // of a scalar the value; else each ended by a NUL, names before values
  std::uint32_t size_ = 1;
  Kind kind_ = Kind::scalar;
};

/// What placeholders there can be: `{word}` is one only where inputs have names.
struct InputNames {
  bool are_used = false;  ///< some input is a mapping
  std::set<std::string, std::less<>> names;

  void add(const Input& input);
};

/// A command with placeholders: read once, filled once for each input.
///
///     const auto echo = Template::shell("echo {} >>log", {"/bin/sh", "-c"}, {});
///     if (echo.mistakes().empty()) queue.submit(echo.fill(Input::scalar("it's"), 1));
///
/// In a shell text a placeholder becomes the expansion of a variable, quoted as its surroundings
/// need it, and the value is handed over in that variable. In an argv it is replaced as it is.
class Template {
 public:
  struct Mistake {
    std::string text;
    std::string hint;
  };

  static Template shell(std::string text, const std::vector<std::string>& shell,
                        const InputNames& names);
  static Template argv(const std::vector<std::string>& words, const InputNames& names);

  /// What its commands share.
  Template& with_settings(Command::Settings settings);

  /// What is wrong with the text, whatever the input. With any, it must not be filled.
  const std::vector<Mistake>& mistakes() const { return mistakes_; }
  /// Whether there is any placeholder.
  bool uses_input() const { return !fields_.empty(); }

  /// Why the input cannot fill the placeholders, or none. `number` counts the inputs from 1.
  std::optional<Mistake> check(const Input& input) const;

  /// The command of one input. Its text, for readers, has the value filled in. Requires that
  /// there are no mistakes and that `check` has nothing to say.
  Command fill(const Input& input, std::size_t number) const;

 private:
  enum class Form : std::uint8_t {
    whole,
    position,
    name,
    number,
    no_extension,
    base,
    folder,
    stem,
    extension
  };
  // What a placeholder asks for. Each one is there once, however often it is written.
  struct Field {
    Form form = Form::whole;
    std::size_t index = 0;  // of `position`, from 0
    std::string written;    // with its braces
    std::string variable;
  };
  // A piece of text and what follows it.
  struct Piece {
    std::string text;
    std::optional<std::size_t> field;
    ShellContext context = ShellContext::bare;
  };
  struct Match {
    std::size_t length = 0;
    bool is_literal = false;
    Form form = Form::whole;
    std::string_view inner;
  };

  explicit Template(const InputNames& names) : names_(&names) {}

  Match match(std::string_view text, std::size_t at) const;
  std::optional<Form> form_of(std::string_view inner) const;
  std::size_t field_for(const Match& match);
  std::vector<Piece> pieces_of_word(std::string_view word);
  std::string value_of(const Field& field, const Input& input, std::size_t number) const;
  bool can_fill(const Field& field, const Input& input) const;
  std::string readable(const std::vector<std::string>& values) const;

  const InputNames* names_;  // only while the text is read
  bool is_argv_ = false;
  std::vector<Field> fields_;
  std::vector<std::vector<Piece>> words_;  // of a shell text one
  Command::Settings settings_;
  std::optional<Command> shell_command_;  // with the expansions in place; not of an argv
  std::vector<Mistake> mistakes_;
};

}  // namespace osiiso::job
