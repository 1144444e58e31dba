// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace osiiso::job {

/// The JSON Schema (draft 7) of job files, as `job.schema.json` has it.
std::string_view schema();

}  // namespace osiiso::job
