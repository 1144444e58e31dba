// SPDX-License-Identifier: MIT
#include "job/scalars.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "base/characters.hpp"

namespace osiiso::job {
namespace {

std::optional<std::int64_t> from_digits(std::string_view digits, int base, bool is_negative) {
  std::uint64_t magnitude = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, magnitude, base);
  if (digits.empty() || error != std::errc{} || stop != end) return std::nullopt;
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (magnitude > kMost + (is_negative ? 1 : 0)) return std::nullopt;
  return static_cast<std::int64_t>(is_negative ? 0 - magnitude : magnitude);
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool is_core_number(std::string_view text) {
  std::size_t at = 0;
  const auto skip_digits = [&] {
    const std::size_t begin = at;
    while (at < text.size() && base::is_digit(text[at])) ++at;
    return at - begin;
  };
  const auto skip_sign = [&] {
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
  };
  skip_sign();
  std::size_t digits = skip_digits();
  if (at < text.size() && text[at] == '.') {
    ++at;
    digits += skip_digits();
  }
  if (digits == 0) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    skip_sign();
    if (skip_digits() == 0) return false;
  }
  return at == text.size();
}

// Reads exactly `count` digits off the front.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count || !std::ranges::all_of(text.substr(0, count), base::is_digit)) {
    return std::nullopt;
  }
  int value = 0;
  for (const char digit : text.substr(0, count)) value = value * 10 + (digit - '0');
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::chrono::nanoseconds> take_time_of_day(std::string_view& text) {
  using namespace std::chrono;
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ":")) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59 || !take(text, ":")) return std::nullopt;
  const auto second = take_digits(text, 2);
  // A leap second is the last of its minute: this clock does not count it.
  if (!second || *second > 60) return std::nullopt;
  nanoseconds all = hours(*hour) + minutes(*minute) + seconds(std::min(*second, 59));
  if (take(text, ".")) {
    if (text.empty() || !base::is_digit(text.front())) return std::nullopt;
    for (std::int64_t unit = 100'000'000; !text.empty() && base::is_digit(text.front());
         unit /= 10) {
      all += nanoseconds(unit * (text.front() - '0'));
      text.remove_prefix(1);
    }
  }
  return all;
}

std::optional<std::chrono::minutes> take_zone(std::string_view& text) {
  using namespace std::chrono;
  if (take(text, "Zz")) return minutes(0);
  const bool is_west = text.starts_with('-');
  if (!take(text, "+-")) return std::nullopt;
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ":")) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  const minutes offset = hours(*hour) + minutes(*minute);
  return is_west ? -offset : offset;
}

// The range that nanoseconds since 1970 can hold, with a margin for zones.
constexpr int kFirstYear = 1678;
constexpr int kLastYear = 2261;
constexpr double kLastSecond = 9.2e9;

// What is earlier is taken for this: its distance from the present has to fit into nanoseconds too.
constexpr std::chrono::system_clock::time_point kLongAgo =
    std::chrono::sys_days(std::chrono::year(1900) / 1 / 1);

std::optional<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  const auto y = take_digits(text, 4);
  if (!y || !take(text, "-")) return std::nullopt;
  const auto m = take_digits(text, 2);
  if (!m || !take(text, "-")) return std::nullopt;
  const auto d = take_digits(text, 2);
  if (!d || !take(text, "Tt ")) return std::nullopt;
  const year_month_day date(year(*y), month(static_cast<unsigned>(*m)),
                            day(static_cast<unsigned>(*d)));
  if (!date.ok() || *y < kFirstYear || *y > kLastYear) return std::nullopt;
  const auto time = take_time_of_day(text);
  if (!time) return std::nullopt;
  const auto zone = take_zone(text);
  if (!zone || !text.empty()) return std::nullopt;
  return sys_days(date) + duration_cast<system_clock::duration>(*time - *zone);
}

std::optional<std::chrono::system_clock::time_point> parse_epoch(double seconds) {
  using std::chrono::system_clock;
  if (std::abs(seconds) > kLastSecond) return std::nullopt;
  const std::chrono::duration<double> since_epoch(seconds);
  return system_clock::time_point(std::chrono::duration_cast<system_clock::duration>(since_epoch));
}

nlohmann::json plain_to_json(const Value& value) {
  const std::string& text = value.text;
  constexpr auto kTrue = std::to_array<std::string_view>({"true", "True", "TRUE"});
  constexpr auto kFalse = std::to_array<std::string_view>({"false", "False", "FALSE"});
  constexpr auto kNotFinite =
      std::to_array<std::string_view>({".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf",
                                       "-.Inf", "-.INF", ".nan", ".NaN", ".NAN"});
  if (std::ranges::find(kTrue, text) != kTrue.end()) return true;
  if (std::ranges::find(kFalse, text) != kFalse.end()) return false;
  if (std::ranges::find(kNotFinite, text) != kNotFinite.end()) {
    throw NotJson{value.at, "JSON has no infinity and no NaN; a text must be in quotes"};
  }
  if (const auto integer = parse_integer(text)) return *integer;
  if (const auto number = parse_number(text)) return *number;
  return text;
}

}  // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) {
  if (text.starts_with("0o")) return from_digits(text.substr(2), 8, false);
  if (text.starts_with("0x")) return from_digits(text.substr(2), 16, false);
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  return from_digits(text, 10, is_negative);
}

std::optional<double> parse_number(std::string_view text) {
  if (const auto integer = parse_integer(text)) return static_cast<double>(*integer);
  if (!is_core_number(text)) return std::nullopt;
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<std::chrono::system_clock::time_point> parse_time(std::string_view text) {
  const auto seconds = parse_number(text);
  const auto time = seconds ? parse_epoch(*seconds) : parse_rfc3339(text);
  return time ? std::optional(std::max(*time, kLongAgo)) : std::nullopt;
}

nlohmann::json to_json(const Value& value) {
  switch (value.kind) {
    case Value::Kind::null:
      return nullptr;
    case Value::Kind::scalar:
      return value.is_plain ? plain_to_json(value) : nlohmann::json(value.text);
    case Value::Kind::list: {
      nlohmann::json list = nlohmann::json::array();
      for (const Value& item : value.items) list.push_back(to_json(item));
      return list;
    }
    case Value::Kind::mapping: {
      nlohmann::json object = nlohmann::json::object();
      for (const Value& item : value.items) object[item.key] = to_json(item);
      return object;
    }
  }
  return nullptr;
}

}  // namespace osiiso::job
