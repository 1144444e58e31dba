// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "osiiso/command.hpp"

namespace osiiso::cli {

/// `left 2 processes behind: 123 'sleep 1000', 124 'nc -l 80'`; of many the first ones.
std::string leak_text(const std::vector<LeakedProcess>& leaked);

}  // namespace osiiso::cli
