// SPDX-License-Identifier: MIT
#pragma once

namespace osiiso::cli {

/// The whole program; returns its exit code, unless it dies of a signal.
int run_program(int argc, char** argv);

}  // namespace osiiso::cli
