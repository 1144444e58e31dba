// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "job/value.hpp"

namespace osiiso::job {

/// A whole number as YAML's core schema writes it (`-3`, `0o17`, `0xff`), if the text is one and
/// fits into 64 bits.
std::optional<std::int64_t> parse_integer(std::string_view text);

/// A finite number of the core schema, whole ones included.
std::optional<double> parse_number(std::string_view text);

/// A time as RFC 3339 has it, always with a zone (`2026-11-21T21:35:00.5Z`, `… +01:00`), or as
/// seconds since 1970, if the text is one and the clock can hold it.
std::optional<std::chrono::system_clock::time_point> parse_time(std::string_view text);

/// What JSON has not: an infinity or a NaN, and its place.
struct NotJson {
  std::uint32_t at;
  std::string text;
};
/// The value with the types of YAML's core schema. Throws `NotJson`.
nlohmann::json to_json(const Value& value);

}  // namespace osiiso::job
