// SPDX-License-Identifier: MIT
// The scalars of a job file: what each type looks like, and what is said of what is not one.
#include <algorithm>
#include <array>

#include "osiiso/error.hpp"

#include "base/format.hpp"
#include "job/key_hints.hpp"
#include "job/option_fields.hpp"
#include "job/scalars.hpp"

namespace osiiso::job {
namespace {

std::optional<std::string_view> meant_boolean(std::string_view text) {
  constexpr auto kTrue = std::to_array<std::string_view>(
      {"yes", "Yes", "YES", "on", "On", "ON", "y", "Y", "True", "TRUE"});
  constexpr auto kFalse = std::to_array<std::string_view>(
      {"no", "No", "NO", "off", "Off", "OFF", "n", "N", "False", "FALSE"});
  if (std::ranges::find(kTrue, text) != kTrue.end()) return "true";
  if (std::ranges::find(kFalse, text) != kFalse.end()) return "false";
  return std::nullopt;
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

}  // namespace

void FieldReader::refuse(std::uint32_t at, std::string text, std::string hint) {
  diagnostics_.add({file_, at}, std::move(text), std::move(hint));
}

void FieldReader::refuse_type(const Value& value, std::string_view what, std::string hint) {
  if (value.is_missing() && !value.key.empty()) {
    refuse(value.key_at, base::format("{} has no value", shown(value.key)), std::move(hint));
  } else {
    refuse(value.at, base::format("{} must be {}, not {}", value.key, what, describe(value)),
           std::move(hint));
  }
}

void FieldReader::refuse_unknown(const Value& value, std::span<const std::string_view> known,
                                 std::string_view where) {
  refuse(value.key_at, base::format("unknown key {} {}", shown(value.key), where),
         key_hint(value.key, known));
}

std::optional<bool> FieldReader::boolean(const Value& value) {
  if (value.is_text() && value.is_plain) {
    if (value.text == "true") return true;
    if (value.text == "false") return false;
    if (const auto meant = meant_boolean(value.text)) {
      refuse_type(value, "true or false", base::format("write {}", *meant));
      return std::nullopt;
    }
  }
  refuse_type(value, "true or false");
  return std::nullopt;
}

std::optional<std::int64_t> FieldReader::integer(const Value& value, std::int64_t least,
                                                 std::int64_t most) {
  if (!value.is_text() || !value.is_plain || !parse_number(value.text)) {
    refuse_type(value, "a whole number");
    return std::nullopt;
  }
  const auto read = parse_integer(value.text);
  if (!read && value.text.find_first_not_of("+-0123456789") != std::string::npos) {
    refuse_type(value, "a whole number");
    return std::nullopt;
  }
  if (read && *read >= least && *read <= most) return read;
  const bool is_small = read ? *read < least : value.text.starts_with('-');
  refuse(value.at, is_small && least == 1 && value.key != "burst"
                       ? base::format("{} must be > 0", value.key)
                   : is_small ? base::format("{} must be >= {}", value.key, least)
                              : base::format("{} must be <= {}", value.key, most));
  return std::nullopt;
}

std::optional<double> FieldReader::number(const Value& value) {
  const auto read = value.is_text() && value.is_plain ? parse_number(value.text) : std::nullopt;
  if (!read) refuse_type(value, "a number");
  return read;
}

std::optional<Duration> FieldReader::duration(const Value& value) {
  if (!value.is_text()) {
    refuse_type(value, "a duration", "such as 30, 250ms or 1h30m");
    return std::nullopt;
  }
  try {
    return parse_duration(value.text);
  } catch (const OptionError& error) {
    refuse(value.at, base::format("{}: {}", value.key, error.what()));
    return std::nullopt;
  }
}

std::optional<std::string> FieldReader::text(const Value& value) {
  if (value.is_text()) return value.text;
  refuse_type(value, "a text");
  return std::nullopt;
}

std::optional<std::size_t> FieldReader::word(const Value& value,
                                             std::span<const std::string_view> words,
                                             std::string_view hint) {
  if (value.is_text()) {
    const auto found = std::ranges::find(words, value.text);
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  }
  const std::string near = value.is_text() ? did_you_mean(value.text, words) : "";
  refuse_type(value, listed(words, "or"), near.empty() ? std::string(hint) : near);
  return std::nullopt;
}

std::optional<std::string> FieldReader::name(const Value& value) {
  auto read = text(value);
  if (read && has_control(*read)) {
    refuse(value.at, base::format("{} must be one line without control characters", value.key));
    return std::nullopt;
  }
  return read;
}

std::optional<std::string> FieldReader::argument(const Value& value, std::string_view what) {
  if (!value.has_words() || value.kind == Value::Kind::list || value.kind == Value::Kind::mapping) {
    refuse(value.at, base::format("{} must be a text, not {}", what, describe(value)));
    return std::nullopt;
  }
  if (value.text.find('\0') != std::string::npos) {
    refuse(value.at, base::format("{} cannot hold a NUL byte", what));
    return std::nullopt;
  }
  return value.text;
}

}  // namespace osiiso::job
