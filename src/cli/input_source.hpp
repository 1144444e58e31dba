// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "cli/options.hpp"

namespace osiiso::cli {

/// Longer ones no program can be given: the kernel bounds a single argument (MAX_ARG_STRLEN).
constexpr std::size_t kLongestInput = 128UL * 1024 - 1;

struct RawInput {
  std::string value;
  bool is_too_long = false;  ///< then there is no value
};

/// Where the inputs of `osiiso map` come from.
class InputSource {
 public:
  virtual ~InputSource() = default;

  /// The next input, as soon as it is there; none: there are no more, `stop` was called, or the
  /// deadline came. Throws `SystemError` where they cannot be read.
  virtual std::optional<RawInput> next(std::optional<base::Instant> deadline) = 0;
  /// The next input where it is there already.
  virtual std::optional<RawInput> next_ready() = 0;
  /// From now on there is none. From any thread.
  virtual void stop() = 0;
  /// Whether they come from a terminal.
  virtual bool is_terminal() const { return false; }
};

/// As the command says. Throws `SystemError` where a file cannot be opened.
std::unique_ptr<InputSource> inputs_of(const MapCommand& command);

}  // namespace osiiso::cli
