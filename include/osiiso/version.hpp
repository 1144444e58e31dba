// SPDX-License-Identifier: MIT
#pragma once

namespace osiiso {

/// Version of the library and the program, as in semantic versioning.
inline constexpr const char* kVersion = "0.1.0";

}  // namespace osiiso
