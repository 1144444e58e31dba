// SPDX-License-Identifier: MIT
#include "osiiso/duration.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "osiiso/error.hpp"

#include "base/characters.hpp"
#include "base/format.hpp"
#include "base/text.hpp"

namespace osiiso {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};

constexpr std::array kUnits = {Unit{"ns", 1},
                               Unit{"us", 1'000},
                               Unit{"ms", 1'000'000},
                               Unit{"s", kSecond},
                               Unit{"m", 60 * kSecond},
                               Unit{"min", 60 * kSecond},
                               Unit{"h", 3600 * kSecond},
                               Unit{"d", 86400 * kSecond}};

bool is_space(char c) {
  return c == ' ' || c == '\t';
}

// Reads a whole text, or throws with its beginning quoted.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), rest_(text) {}

  Duration parse();

 private:
  struct Number {
    std::string_view text;
    std::string_view whole;
    std::string_view fraction;
  };

  Number take_number();
  std::string_view take_unit_name();
  std::int64_t nanoseconds(const Number& number, std::int64_t unit) const;
  void skip_spaces();
  [[noreturn]] void refuse(const std::string& what) const;
  [[noreturn]] void refuse_unreadable() const;
  [[noreturn]] void refuse_overflow() const {
    refuse("is longer than 292 years, the most there is");
  }

  std::string_view text_;
  std::string_view rest_;
};

Duration Parser::parse() {
  skip_spaces();
  if (rest_.empty()) throw OptionError("a duration is empty");

  std::int64_t total = 0;
  for (bool first = true; !rest_.empty(); first = false) {
    const Number number = take_number();
    skip_spaces();
    const std::string_view name = take_unit_name();
    skip_spaces();
    const bool is_bare = name.empty() && first && rest_.empty();
    if (name.empty() && !is_bare) {
      // What follows is another number, or no part of a duration at all.
      if (!rest_.empty() && !base::is_digit(rest_.front()) && rest_.front() != '.')
        refuse_unreadable();
      refuse(base::format("has the number {} without a unit", number.text));
    }
    const auto* unit = std::ranges::find(kUnits, is_bare ? "s" : name, &Unit::name);
    if (unit == kUnits.end()) {
      refuse(base::format("has an unknown unit '{}'; units are ns us ms s m min h d",
                          base::cut_to_width(name, 20)));
    }
    const std::int64_t term = nanoseconds(number, unit->nanoseconds);
    if (__builtin_add_overflow(total, term, &total)) refuse_overflow();
  }
  return Duration(total);
}

Parser::Number Parser::take_number() {
  if (rest_.front() == '-') refuse("is negative; a duration is not");
  const auto take_digits = [this] {
    const auto length = std::ranges::find_if_not(rest_, base::is_digit) - rest_.begin();
    const std::string_view digits = rest_.substr(0, static_cast<std::size_t>(length));
    rest_.remove_prefix(digits.size());
    return digits;
  };
  const std::string_view start = rest_;
  Number number;
  number.whole = take_digits();
  if (rest_.starts_with('.')) {
    rest_.remove_prefix(1);
    number.fraction = take_digits();
  }
  if (number.whole.empty() && number.fraction.empty()) refuse_unreadable();
  number.text = start.substr(0, start.size() - rest_.size());
  return number;
}

std::string_view Parser::take_unit_name() {
  const auto may_be_of_unit = [](char c) { return base::is_letter(c) || base::is_beyond_ascii(c); };
  const auto length = std::ranges::find_if_not(rest_, may_be_of_unit) - rest_.begin();
  const std::string_view name = rest_.substr(0, static_cast<std::size_t>(length));
  rest_.remove_prefix(name.size());
  return name;
}

std::int64_t Parser::nanoseconds(const Number& number, std::int64_t unit) const {
  std::int64_t value = 0;
  for (const char digit : number.whole) {
    if (__builtin_mul_overflow(value, 10, &value) ||
        __builtin_add_overflow(value, digit - '0', &value)) {
      refuse_overflow();
    }
  }
  if (__builtin_mul_overflow(value, unit, &value)) refuse_overflow();

  // From the last digit on, so that what is cut off below a nanosecond is cut off exactly however
  // many digits there are: the floor of a sum with a floor in it is the floor of the whole.
  std::int64_t fraction = 0;
  for (std::size_t i = number.fraction.size(); i-- > 0;) {
    fraction = ((number.fraction[i] - '0') * unit + fraction) / 10;
  }
  if (__builtin_add_overflow(value, fraction, &value)) refuse_overflow();
  return value;
}

void Parser::skip_spaces() {
  const auto length = std::ranges::find_if_not(rest_, is_space) - rest_.begin();
  rest_.remove_prefix(static_cast<std::size_t>(length));
}

void Parser::refuse(const std::string& what) const {
  const std::string quoted = base::cut_to_width(base::escape_controls(text_), 40);
  throw OptionError(base::format("'{}' {}", quoted, what));
}

void Parser::refuse_unreadable() const {
  refuse("is not a duration, which is a number of seconds or one with units such as 1h30m");
}

}  // namespace

Duration parse_duration(std::string_view text) {
  return Parser(text).parse();
}

std::string format_seconds(Duration value) {
  const bool is_negative = value < Duration::zero();
  // Unsigned, since the lowest value has no positive counterpart.
  const auto bits = static_cast<std::uint64_t>(value.count());
  const std::uint64_t magnitude = is_negative ? 0 - bits : bits;
  constexpr auto kUnsignedSecond = static_cast<std::uint64_t>(kSecond);
  std::string text = base::format("{}{}.{:09}", is_negative ? "-" : "", magnitude / kUnsignedSecond,
                                  magnitude % kUnsignedSecond);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

}  // namespace osiiso
