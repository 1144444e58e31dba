// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

namespace osiiso::queue {

/// What tells this build of the program from any other: the linker's build id where there is one,
/// else what the file's status says.
const std::string& build_id();

/// Where in the program's code an address is; the same in every execution of the same build.
/// Throws `Error` where it is not in the program itself (a function of a shared library).
std::uint64_t image_offset(std::uintptr_t address);

/// The reverse. Throws `Error` for an offset that is not in the program's code.
std::uintptr_t image_address(std::uint64_t offset);

}  // namespace osiiso::queue
