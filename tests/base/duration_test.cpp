// SPDX-License-Identifier: MIT
#include "osiiso/duration.hpp"

#include <string>

#include <doctest/doctest.h>

#include "osiiso/error.hpp"

namespace osiiso {
namespace {

using namespace std::chrono_literals;

std::string refusal(std::string_view text) {
  try {
    parse_duration(text);
  } catch (const OptionError& error) {
    return error.what();
  }
  return "accepted";
}

TEST_CASE("a bare number is a number of seconds") {
  CHECK(parse_duration("0") == 0s);
  CHECK(parse_duration("5") == 5s);
  CHECK(parse_duration("0.25") == 250ms);
  CHECK(parse_duration(".5") == 500ms);
  CHECK(parse_duration("5.") == 5s);
  CHECK(parse_duration("007") == 7s);
}

TEST_CASE("every unit is known by its name") {
  CHECK(parse_duration("3ns") == 3ns);
  CHECK(parse_duration("3us") == 3us);
  CHECK(parse_duration("3ms") == 3ms);
  CHECK(parse_duration("3s") == 3s);
  CHECK(parse_duration("3m") == 3min);
  CHECK(parse_duration("3min") == 3min);
  CHECK(parse_duration("3h") == 3h);
  CHECK(parse_duration("3d") == 72h);
}

TEST_CASE("numbers with units add up, with or without spaces") {
  CHECK(parse_duration("1h30m") == 90min);
  CHECK(parse_duration("2min 2s") == 122s);
  CHECK(parse_duration(" 1 h  30 m ") == 90min);
  CHECK(parse_duration("1s1s") == 2s);
}

TEST_CASE("decimals are exact, and cut off below a nanosecond") {
  CHECK(parse_duration("0.1s").count() == 100'000'000);
  CHECK(parse_duration("0.3").count() == 300'000'000);
  CHECK(parse_duration("0.000000001").count() == 1);
  CHECK(parse_duration("0.0000000019999").count() == 1);
  CHECK(parse_duration("0.99999999999999999999999999999").count() == 999'999'999);
  CHECK(parse_duration("0.1d") == 8640s);
  // A third of a day has more digits than any integer: still exact to the nanosecond.
  CHECK(parse_duration("0.333333333333333333333333d").count() == 28'799'999'999'999);
}

TEST_CASE("the longest duration is accepted, a nanosecond more is refused") {
  CHECK(parse_duration("9223372036.854775807") == Duration::max());
  CHECK(parse_duration("9223372036854775807ns") == Duration::max());
  CHECK(refusal("9223372036.854775808") ==
        "'9223372036.854775808' is longer than 292 years, the most there is");
  CHECK(refusal("9223372036854775808ns").ends_with("the most there is"));
  CHECK(refusal("106752d").ends_with("the most there is"));
  CHECK(refusal("9223372036s 1s").ends_with("the most there is"));
  CHECK(refusal(std::string(1000, '9')).ends_with("the most there is"));
}

TEST_CASE("an unknown unit is named beside the known ones") {
  CHECK(refusal("5x") == "'5x' has an unknown unit 'x'; units are ns us ms s m min h d");
  CHECK(refusal("5M") == "'5M' has an unknown unit 'M'; units are ns us ms s m min h d");
  CHECK(refusal("1e3") == "'1e3' has an unknown unit 'e'; units are ns us ms s m min h d");
  CHECK(refusal("1s2mins") ==
        "'1s2mins' has an unknown unit 'mins'; units are ns us ms s m min h d");
}

TEST_CASE("a number without a unit is refused beside others") {
  CHECK(refusal("1h30") == "'1h30' has the number 30 without a unit");
  CHECK(refusal("1 2s") == "'1 2s' has the number 1 without a unit");
  CHECK(refusal("1.2.3") == "'1.2.3' has the number 1.2 without a unit");
}

TEST_CASE("what is no duration is refused with what one is") {
  const std::string what =
      " is not a duration, which is a number of seconds or one with units such as 1h30m";
  CHECK(refusal("") == "a duration is empty");
  CHECK(refusal("  ") == "a duration is empty");
  CHECK(refusal("-5") == "'-5' is negative; a duration is not");
  CHECK(refusal("1h -5m") == "'1h -5m' is negative; a duration is not");
  for (const char* text : {"abc", ".", "s", "+5", "1,5", "inf", "nan", "0x10", "5 !"}) {
    CAPTURE(text);
    CHECK(refusal(text) != "accepted");
  }
  CHECK(refusal("abc") == "'abc'" + what);
  CHECK(refusal("1,5") == "'1,5'" + what);
}

TEST_CASE("a refused text is shown short and harmless") {
  CHECK(refusal("1\x1b[31m").starts_with("'1\\x1b[31m'"));
  CHECK(refusal(std::string(100'000, 'y')).size() < 200);
  CHECK(refusal("1" + std::string(100'000, 'y')).size() < 200);
}

TEST_CASE("seconds are the shortest decimal") {
  CHECK(format_seconds(0s) == "0");
  CHECK(format_seconds(1min) == "60");
  CHECK(format_seconds(150ms) == "0.15");
  CHECK(format_seconds(1ns) == "0.000000001");
  CHECK(format_seconds(100s) == "100");
  CHECK(format_seconds(-1500ms) == "-1.5");
  CHECK(format_seconds(Duration::max()) == "9223372036.854775807");
  CHECK(format_seconds(Duration::min()) == "-9223372036.854775808");
}

TEST_CASE("what is written in seconds is read back as the same value") {
  for (std::int64_t value = 1; value > 0 && value < Duration::max().count() / 7; value *= 7) {
    CHECK(parse_duration(format_seconds(Duration(value))).count() == value);
  }
}

}  // namespace
}  // namespace osiiso
