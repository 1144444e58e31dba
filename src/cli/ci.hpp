// SPDX-License-Identifier: MIT
#pragma once

namespace osiiso::cli {

/// Whether this is a step of a continuous integration service: `CI` is set, and not to 0 or false.
bool in_ci();

}  // namespace osiiso::cli
