// SPDX-License-Identifier: MIT
#pragma once

#include "job/raw.hpp"

namespace osiiso::job {

/// Makes one plan of what the files say. With diagnostics it is not complete. Takes the commands
/// out of `files`.
Plan resolve(std::vector<RawFile>& files, const Overrides& overrides, RunInputs run_inputs,
             Diagnostics& diagnostics);

}  // namespace osiiso::job
