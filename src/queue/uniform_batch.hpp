// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "osiiso/batch.hpp"

namespace osiiso::queue {

/// Tasks that have their options in common; `recorders`: one for each, or none at all. Throws
/// `OptionError` where the options break a rule.
Batch uniform_batch(TaskOptions options, std::vector<TaskBody> bodies,
                    std::vector<RecorderPtr> recorders);

/// The same as one group, which is called as the options say.
Batch uniform_group(TaskOptions options, std::vector<TaskBody> bodies,
                    std::vector<RecorderPtr> recorders);

}  // namespace osiiso::queue
