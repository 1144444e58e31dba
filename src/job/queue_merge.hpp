// SPDX-License-Identifier: MIT
#pragma once

#include "job/raw.hpp"

namespace osiiso::job {

/// Sets the plan's kind and queue options from what the command line and the files say. Files that
/// differ in an option which the command line does not decide are told.
void merge_queues(const std::vector<RawFile>& files, const Overrides& overrides, Plan& plan,
                  Diagnostics& diagnostics);

}  // namespace osiiso::job
