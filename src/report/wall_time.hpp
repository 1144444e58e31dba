// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "osiiso/duration.hpp"

namespace osiiso::report {

using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

/// `time` as reports know it: whole milliseconds, rounded down.
WallTime to_wall_time(std::chrono::system_clock::time_point time);

/// As RFC 3339 has it: `2026-11-21T21:35:00.123Z`. The second form is `since` later.
std::string rfc3339(WallTime time);
std::string rfc3339(WallTime time, Duration since);

/// Reads what `rfc3339` wrote; none for anything else.
std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace osiiso::report
