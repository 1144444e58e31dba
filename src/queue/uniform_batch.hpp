// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "osiiso/batch.hpp"

namespace osiiso::queue {

/// Tasks that have their options in common. Throws `OptionError` where those break a rule.
Batch uniform_batch(TaskOptions options, std::vector<TaskBody> bodies);

/// The same as one group, which is called as the options say.
Batch uniform_group(TaskOptions options, std::vector<TaskBody> bodies);

}  // namespace osiiso::queue
