// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace osiiso::base {

/// The SHA-256 digest (FIPS 180-4) of the bytes, as 64 hex digits.
std::string sha256_hex(std::string_view bytes);

}  // namespace osiiso::base
