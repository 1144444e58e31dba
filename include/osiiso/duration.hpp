// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace osiiso {

/// A span of time. Every option that is a time takes one, so `5s`, `250ms` and `1h` all fit.
using Duration = std::chrono::nanoseconds;

/// Reads a duration as a user writes it: a bare number of seconds (`0.25`), or numbers with the
/// units `ns us ms s m min h d`, added up and optionally separated by spaces (`1h30m`, `2min 2s`).
///
/// Throws `OptionError` that says what is wrong for anything else: an empty text, a negative or
/// overflowing value (the most is about 292 years), a number without a unit beside one with.
Duration parse_duration(std::string_view text);

/// The value in seconds as the shortest decimal that names it, without a unit: `0.15`, `60`.
std::string format_seconds(Duration value);

}  // namespace osiiso
