// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "job/diagnostics.hpp"

namespace osiiso::job {

/// What must be known of a job file's bytes before a YAML parser may see them: it is UTF-8, has no
/// control characters (the parser takes one of them for the end of the file) and no line of a
/// length that would cost the parser many times as much memory. Says what is wrong and returns
/// false otherwise.
bool check_bytes(std::uint32_t file, Diagnostics& diagnostics);

}  // namespace osiiso::job
