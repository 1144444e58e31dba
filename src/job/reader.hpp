// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "job/raw.hpp"

namespace osiiso::job {

/// Reads one source. None where the document could not be read to its end; a file with other
/// mistakes is still given, so that those of its names can be found, too.
std::optional<RawFile> read_file(std::uint32_t file, Diagnostics& diagnostics);

}  // namespace osiiso::job
