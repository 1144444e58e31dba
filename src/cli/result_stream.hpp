// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/descriptor_stream.hpp"
#include "cli/exit_code.hpp"

namespace osiiso::cli {

/// Opens whatever of the descriptors 0, 1 and 2 is closed, so that no file of ours can take their
/// place; using one of them still fails, as it should.
void fill_standard_descriptors();

/// Standard output for results.
class ResultStream : public base::DescriptorStream {
 public:
  ResultStream();
};

/// Ends the writing of a result; where that fails, says why, and `what_happened` besides.
ExitCode finish_result(ResultStream& out, const std::string& what_happened = {});

/// Writes a line to standard error: `osiiso: TEXT`, with control characters escaped.
void say(const std::string& text);

/// Writes what a task has printed to standard error: as it is, but a terminal obeys none of it.
void say_printed(const std::string& printed);

/// Writes all of `text` to standard error as it is, from the beginning of a line.
void say_raw(const std::string& text);

}  // namespace osiiso::cli
