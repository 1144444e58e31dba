// SPDX-License-Identifier: MIT
#pragma once

#include "osiiso/batch.hpp"

#include "job/diagnostics.hpp"

namespace osiiso::job {

/// The selected part of a batch whose needs have no cycle. Says so where a name or a pattern of
/// the selection means nothing.
Batch select(Batch batch, const Selection& selection, Diagnostics& diagnostics);

}  // namespace osiiso::job
