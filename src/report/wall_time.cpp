// SPDX-License-Identifier: MIT
#include "report/wall_time.hpp"

#include <charconv>
#include <cstddef>

#include "base/characters.hpp"
#include "base/format.hpp"

namespace osiiso::report {
namespace {

using std::chrono::day;
using std::chrono::days;
using std::chrono::floor;
using std::chrono::hh_mm_ss;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::month;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;

// What the system's clock can tell in nanoseconds.
constexpr year kFirstYear{1678};
constexpr year kLastYear{2261};

// A digit stands for any.
constexpr std::string_view kShape = "0000-00-00T00:00:00.000Z";

bool has_shape(std::string_view text) {
  if (text.size() != kShape.size()) return false;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    if (base::is_digit(kShape[i]) ? !base::is_digit(text[i]) : text[i] != kShape[i]) return false;
  }
  return true;
}

int number_at(std::string_view text, std::size_t at, std::size_t length) {
  int number = 0;
  std::from_chars(text.data() + at, text.data() + at + length, number);
  return number;
}

}  // namespace

WallTime to_wall_time(std::chrono::system_clock::time_point time) {
  return floor<milliseconds>(time);
}

std::string rfc3339(WallTime time) {
  const auto midnight = floor<days>(time);
  const year_month_day date(midnight);
  const hh_mm_ss clock(time - midnight);
  return base::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                      clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                      clock.subseconds().count());
}

std::string rfc3339(WallTime time, Duration since) {
  return rfc3339(time + floor<milliseconds>(since));
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  if (!has_shape(text)) return std::nullopt;
  const year_month_day date(year(number_at(text, 0, 4)),
                            month(static_cast<unsigned>(number_at(text, 5, 2))),
                            day(static_cast<unsigned>(number_at(text, 8, 2))));
  const auto clock = hours(number_at(text, 11, 2)) + minutes(number_at(text, 14, 2)) +
                     seconds(number_at(text, 17, 2)) + milliseconds(number_at(text, 20, 3));
  const bool can_be_told = date.year() >= kFirstYear && date.year() <= kLastYear;
  if (!date.ok() || !can_be_told || clock >= days(1)) return std::nullopt;
  return sys_days(date) + clock;
}

}  // namespace osiiso::report
