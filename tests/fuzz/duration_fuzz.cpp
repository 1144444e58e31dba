// SPDX-License-Identifier: MIT
//
// Durations: any text is read or refused, and what was read can be written and read again.
#include "osiiso/duration.hpp"
#include "osiiso/error.hpp"

#include "fuzz/fuzz.hpp"

using namespace osiiso;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const Duration read = parse_duration(fuzz::text_of(data, size));
    fuzz::require(read >= Duration::zero(), "no duration is negative");
    fuzz::require(parse_duration(format_seconds(read)) == read, "what is written reads the same");
  } catch (const OptionError&) {  // refused
  }
  return 0;
}
