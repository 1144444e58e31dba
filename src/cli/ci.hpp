// SPDX-License-Identifier: MIT
#pragma once

namespace osiiso::cli {

/// Whether this is a step of a continuous integration service: `CI` is set, and not to 0 or false.
bool in_ci();

/// Whether standard output and standard error are those of our parent process and no files, so that
/// nobody has redirected them for us. As it was at the first call, which comes before there is a
/// guardian between our parent and us.
bool streams_are_parents();

}  // namespace osiiso::cli
