// SPDX-License-Identifier: MIT
#include "job/placeholders.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "osiiso/error.hpp"

#include "base/characters.hpp"
#include "base/format.hpp"
#include "base/text.hpp"
#include "job/diagnostics.hpp"

namespace osiiso::job {
namespace {

constexpr char kNul = '\0';

// What a person would use as a name: that of a variable, with dashes allowed.
bool is_word(std::string_view text) {
  return !text.empty() && base::is_name_character(text.front()) && !base::is_digit(text.front()) &&
         std::ranges::all_of(text, [](char c) { return base::is_name_character(c) || c == '-'; });
}

bool is_position(std::string_view text) {
  constexpr std::size_t kMostDigits = 6;
  return !text.empty() && text.size() <= kMostDigits && text.front() != '0' &&
         std::ranges::all_of(text, base::is_digit);
}

// The parts of a path. Like dirname(1) and basename(1); `without extension` and the extension
// always add up to the path, and a leading dot begins no extension.
std::string_view without_slashes(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path;
}

std::string_view base_name(std::string_view path) {
  path = without_slashes(path);
  if (path == "/") return path;
  return path.substr(path.rfind('/') + 1);
}

std::string_view folder_name(std::string_view path) {
  path = without_slashes(path);
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? path.substr(0, 1) : without_slashes(path.substr(0, slash));
}

std::string_view extension(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const std::size_t first = std::min(name.find_first_not_of('.'), name.size());
  const std::size_t dot = name.substr(first).rfind('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(first + dot);
}

std::string_view without_extension(std::string_view path) {
  return path.substr(0, path.size() - extension(path).size());
}

void refuse_nul(std::string_view value) {
  if (value.find(kNul) != std::string_view::npos) {
    throw OptionError("an input must not hold a NUL byte");
  }
}

std::string_view opening(ShellContext context) {
  switch (context) {
    case ShellContext::bare:
      return "\"";
    case ShellContext::single_quotes:
    case ShellContext::dollar_quotes:
      return "'\"";
    default:
      return "";
  }
}

std::string_view closing(ShellContext context) {
  switch (context) {
    case ShellContext::bare:
      return "\"";
    case ShellContext::single_quotes:
      return "\"'";
    case ShellContext::dollar_quotes:
      return "\"$'";
    default:
      return "";
  }
}

std::string with_backslashes(std::string_view value, std::string_view before) {
  std::string text;
  for (const char c : value) {
    if (before.find(c) != std::string_view::npos) text += '\\';
    text += c;
  }
  return text;
}

// As a person would have written the value there.
std::string written_into(ShellContext context, const std::string& value) {
  switch (context) {
    case ShellContext::double_quotes:
      return with_backslashes(value, "\\\"$`");
    case ShellContext::here_document:
      return with_backslashes(value, "\\$`");
    case ShellContext::dollar_quotes:
      return with_backslashes(value, "\\'");
    case ShellContext::single_quotes: {
      std::string text;
      for (const char c : value) text += c == '\'' ? "'\\''" : std::string(1, c);
      return text;
    }
    default:
      return base::shell_quote(value);
  }
}

}  // namespace

Input Input::scalar(std::string value) {
  refuse_nul(value);
  Input made;
  made.fields_ = std::move(value);
  return made;
}

Input Input::list(std::span<const std::string_view> values) {
  Input made;
  made.kind_ = Kind::list;
  made.size_ = static_cast<std::uint32_t>(values.size());
  for (const std::string_view value : values) made.append(value);
  return made;
}

Input Input::mapping(std::span<const Entry> entries) {
  Input made;
  made.kind_ = Kind::mapping;
  made.size_ = static_cast<std::uint32_t>(entries.size());
  for (const auto& [name, value] : entries) {
    made.append(name);
    made.append(value);
  }
  return made;
}

void Input::append(std::string_view field) {
  refuse_nul(field);
  fields_.append(field) += kNul;
}

std::optional<std::string_view> Input::value(std::size_t index) const {
  if (index >= size_ || kind_ == Kind::mapping) return std::nullopt;
  if (kind_ == Kind::scalar) return fields_;
  std::string_view rest = fields_;
  while (index-- > 0) rest.remove_prefix(rest.find(kNul) + 1);
  return rest.substr(0, rest.find(kNul));
}

std::optional<std::string_view> Input::value(std::string_view name) const {
  if (kind_ != Kind::mapping) return std::nullopt;
  for (std::string_view rest = fields_; !rest.empty();) {
    const std::string_view found = rest.substr(0, rest.find(kNul));
    rest.remove_prefix(found.size() + 1);
    const std::string_view value = rest.substr(0, rest.find(kNul));
    rest.remove_prefix(value.size() + 1);
    if (found == name) return value;
  }
  return std::nullopt;
}

std::vector<std::string_view> Input::names() const {
  std::vector<std::string_view> names;
  if (kind_ != Kind::mapping) return names;
  for (std::string_view rest = fields_; !rest.empty();) {
    names.push_back(rest.substr(0, rest.find(kNul)));
    rest.remove_prefix(names.back().size() + 1);
    rest.remove_prefix(rest.find(kNul) + 1);
  }
  return names;
}

void InputNames::add(const Input& input) {
  if (input.kind() != Input::Kind::mapping) return;
  are_used = true;
  for (const std::string_view name : input.names()) {
    if (!names.contains(name)) names.emplace(name);
  }
}

Template Template::shell(std::string text, const std::vector<std::string>& shell,
                         const InputNames& names) {
  Template made(names);
  const auto dialect = dialect_of(shell);
  const auto match = [&](std::size_t at) { return made.match(text, at).length; };
  const auto places = find_in_shell(text, dialect.value_or(ShellDialect::posix), match);

  std::vector<Piece>& pieces = made.words_.emplace_back();
  std::string expanded;
  std::string pending;
  std::size_t done = 0;
  for (const ShellPlace& place : places) {
    pending.append(text, done, place.offset - done);
    done = place.offset + place.length;
    const Match found = made.match(text, place.offset);
    if (found.is_literal) {
      pending += base::format("{{{}}}", found.inner);
      continue;
    }
    const std::string written = text.substr(place.offset, place.length);
    if (!dialect) {
      made.mistakes_.push_back(
          {base::format("{} cannot be put into a command for {}", written,
                        shell.empty() ? "no shell" : shown(shell.front())),
           "inputs can be given to sh, dash, bash, ksh and zsh, or to a command that is a list"});
      break;
    }
    if (place.context == ShellContext::refused) {
      made.mistakes_.push_back({base::format("{} cannot stand {}", written, place.reason),
                                base::format("give it to a variable first: v={0}; … \"$v\" …, or "
                                             "write {{{0}}} for a literal {0}",
                                             written)});
      continue;
    }
    Piece& piece = pieces.emplace_back();
    piece.text = std::exchange(pending, {});
    piece.field = made.field_for(found);
    piece.context = place.context;
    const std::string& variable = made.fields_[*piece.field].variable;
    expanded += base::format("{}{}${{{}}}{}", piece.text, opening(place.context), variable,
                             closing(place.context));
  }
  pending.append(text, done);
  expanded += pending;
  if (made.mistakes_.empty()) made.shell_command_ = Command::shell(std::move(expanded));
  pieces.push_back({std::move(pending), std::nullopt, ShellContext::bare});
  return made;
}

Template Template::argv(const std::vector<std::string>& words, const InputNames& names) {
  Template made(names);
  made.is_argv_ = true;
  for (const std::string& word : words) made.words_.push_back(made.pieces_of_word(word));
  return made;
}

std::vector<Template::Piece> Template::pieces_of_word(std::string_view word) {
  std::vector<Piece> pieces;
  std::string pending;
  for (std::size_t at = 0; at < word.size();) {
    const Match found = word[at] == '{' ? match(word, at) : Match{};
    if (found.length == 0) {
      pending += word[at++];
      continue;
    }
    at += found.length;
    if (found.is_literal) {
      pending += base::format("{{{}}}", found.inner);
    } else {
      pieces.push_back({std::exchange(pending, {}), field_for(found), ShellContext::bare});
    }
  }
  pieces.push_back({std::move(pending), std::nullopt, ShellContext::bare});
  return pieces;
}

// What is between braces is short, so that this takes no time on texts full of braces.
Template::Match Template::match(std::string_view text, std::size_t at) const {
  constexpr std::size_t kLongestName = 200;
  // In a shell text the lexer knows whether it is `${…}`; in an argv it always is left alone.
  if (is_argv_ && at > 0 && text[at - 1] == '$') return {};
  const bool may_be_literal = text.substr(at).starts_with("{{");
  const std::size_t begin = at + (may_be_literal ? 2 : 1);
  const std::size_t end = text.substr(0, begin + kLongestName).find_first_of("{}", begin);
  if (end == std::string_view::npos || text[end] != '}') return {};
  if (may_be_literal && !text.substr(end).starts_with("}}")) return {};
  const std::string_view inner = text.substr(begin, end - begin);
  const auto form = form_of(inner);
  if (!form) return {};
  return {end - at + (may_be_literal ? 2 : 1), may_be_literal, *form, inner};
}

std::optional<Template::Form> Template::form_of(std::string_view inner) const {
  struct Named {
    std::string_view inner;
    Form form;
  };
  constexpr auto kForms = std::to_array<Named>({{"", Form::whole},
                                                {"#", Form::number},
                                                {".", Form::no_extension},
                                                {"/", Form::base},
                                                {"//", Form::folder},
                                                {"/.", Form::stem}});
  if (names_->names.contains(inner)) return Form::name;
  const auto found = std::ranges::find(kForms, inner, &Named::inner);
  if (found != kForms.end()) return found->form;
  if (is_position(inner)) return Form::position;
  if (names_->are_used && is_word(inner)) return Form::name;
  if (inner == "ext") return Form::extension;
  return std::nullopt;
}

std::size_t Template::field_for(const Match& match) {
  const std::string written = base::format("{{{}}}", match.inner);
  const auto known = std::ranges::find(fields_, written, &Field::written);
  if (known != fields_.end()) return static_cast<std::size_t>(known - fields_.begin());

  Field field{match.form, 0, written, {}};
  switch (match.form) {
    case Form::position:
      std::from_chars(match.inner.data(), match.inner.data() + match.inner.size(), field.index);
      field.variable = base::format("OSIISO_{}", field.index--);
      break;
    case Form::name:
      // A name that is none for a shell has a number; no identifier begins with a digit.
      field.variable = base::is_variable_name(match.inner)
                           ? base::format("OSIISO_KEY_{}", match.inner)
                           : base::format("OSIISO_KEY_{}", fields_.size() + 1);
      break;
    case Form::whole:
      field.variable = "OSIISO_1";
      break;
    case Form::number:
      field.variable = "OSIISO_NUMBER";
      break;
    case Form::no_extension:
      field.variable = "OSIISO_1_NO_EXT";
      break;
    case Form::base:
      field.variable = "OSIISO_1_BASE";
      break;
    case Form::folder:
      field.variable = "OSIISO_1_FOLDER";
      break;
    case Form::stem:
      field.variable = "OSIISO_1_STEM";
      break;
    case Form::extension:
      field.variable = "OSIISO_1_EXT";
      break;
  }
  fields_.push_back(std::move(field));
  return fields_.size() - 1;
}

bool Template::can_fill(const Field& field, const Input& input) const {
  switch (field.form) {
    case Form::number:
      return true;
    case Form::position:
      return input.value(field.index).has_value();
    case Form::name:
      return input.value(std::string_view(field.written).substr(1, field.written.size() - 2))
          .has_value();
    default:
      return input.kind() == Input::Kind::scalar;
  }
}

std::optional<Template::Mistake> Template::check(const Input& input) const {
  constexpr std::size_t kMostNamed = 20;
  const auto bad =
      std::ranges::find_if(fields_, [&](const Field& field) { return !can_fill(field, input); });
  if (bad == fields_.end()) return std::nullopt;

  std::vector<std::string> can;
  std::string kind = "a single value";
  if (input.kind() == Input::Kind::scalar) {
    can = {"{}", "{1}", "{.}", "{/}", "{//}", "{/.}", "{ext}"};
  } else if (input.kind() == Input::Kind::list) {
    kind = base::format("a list of {}", input.size());
    for (std::size_t i = 1; i <= std::min(input.size(), kMostNamed); ++i) {
      can.push_back(base::format("{{{}}}", i));
    }
  } else {
    kind = "a mapping";
    for (const std::string_view name : input.names()) {
      if (can.size() < kMostNamed) can.push_back(base::format("{{{}}}", name));
    }
  }
  can.emplace_back("{#}");
  const std::vector<std::string_view> names(can.begin(), can.end());
  std::string hint = bad->form == Form::name ? did_you_mean(bad->written, names) : "";
  if (hint.empty()) hint = base::format("a literal {0} is written {{{0}}}", bad->written);
  return Mistake{base::format("{} cannot be filled: the input is {}, which fills {}", bad->written,
                              kind, listed(names, "and")),
                 std::move(hint)};
}

std::string Template::value_of(const Field& field, const Input& input, std::size_t number) const {
  const std::string_view whole =
      input.kind() == Input::Kind::scalar ? *input.value(0) : std::string_view();
  switch (field.form) {
    case Form::whole:
      return std::string(whole);
    case Form::position:
      return std::string(*input.value(field.index));
    case Form::name:
      return std::string(
          *input.value(std::string_view(field.written).substr(1, field.written.size() - 2)));
    case Form::number:
      return base::format("{}", number);
    case Form::no_extension:
      return std::string(without_extension(whole));
    case Form::base:
      return std::string(base_name(whole));
    case Form::folder:
      return std::string(folder_name(whole));
    case Form::stem:
      return std::string(without_extension(base_name(whole)));
    case Form::extension:
      return std::string(extension(whole));
  }
  return {};
}

Template& Template::with_settings(Command::Settings settings) {
  settings_ = std::move(settings);
  if (shell_command_) shell_command_->with_settings(settings_);
  return *this;
}

Command Template::fill(const Input& input, std::size_t number) const {
  std::vector<std::string> values;
  values.reserve(fields_.size());
  for (const Field& field : fields_) values.push_back(value_of(field, input, number));

  if (is_argv_) {
    std::vector<std::string> words;
    words.reserve(words_.size());
    for (const std::vector<Piece>& pieces : words_) {
      std::string& word = words.emplace_back();
      for (const Piece& piece : pieces) {
        word += piece.text;
        if (piece.field) word += values[*piece.field];
      }
    }
    return Command::argv(words, settings_);
  }

  Command command = *shell_command_;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    command.with_variable(fields_[i].variable, values[i]);
  }
  command.with_text(readable(values));
  return command;
}

std::string Template::readable(const std::vector<std::string>& values) const {
  // An empty value needs quotes only where it would be a word of its own.
  const auto is_in_word = [](char c) {
    return std::string_view(" \t\n;&|<>()").find(c) == std::string_view::npos;
  };
  const std::vector<Piece>& pieces = words_.front();
  std::string text;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const Piece& piece = pieces[i];
    text += piece.text;
    if (!piece.field) break;
    const std::string& value = values[*piece.field];
    const std::string& next = pieces[i + 1].text;
    const bool is_joined =
        (!text.empty() && is_in_word(text.back())) || (!next.empty() && is_in_word(next.front()));
    if (value.empty() && is_joined) continue;
    text += base::replace_invalid_utf8(written_into(piece.context, value));
  }
  return text;
}

}  // namespace osiiso::job
