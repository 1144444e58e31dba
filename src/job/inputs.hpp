// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "job/placeholders.hpp"

namespace osiiso::job {

enum class InputFormat : std::uint8_t {
  lines,  ///< each ended by a newline; empty ones are left out
  nul,    ///< each ended by a NUL byte
  json,   ///< a JSON value a line; empty lines are left out
};

/// Divides bytes, as they come, into inputs.
///
///     InputSplitter splitter(InputFormat::lines);
///     while (read(piece)) splitter.add(piece, inputs);
///     splitter.finish(inputs);
class InputSplitter {
 public:
  explicit InputSplitter(InputFormat format) : format_(format) {}

  /// Append what is complete to `inputs`. Throw `Error` that names the line of what is none.
  void add(std::string_view bytes, std::vector<Input>& inputs);
  void finish(std::vector<Input>& inputs);

 private:
  void take(std::string_view item, std::vector<Input>& inputs);

  InputFormat format_;
  std::string partial_;
  std::size_t line_ = 0;
};

/// The input that one JSON text describes: a scalar, a list of scalars, or an object of scalars.
/// Numbers keep their text. Throws `Error`.
Input input_of_json(std::string_view text);

/// Reads a whole file of inputs. Throws `Error`.
std::vector<Input> inputs_of_file(const std::string& path, InputFormat format);

/// Runs a command in `folder` and reads what it prints. Its standard input is `/dev/null`. Throws
/// `Error` where it cannot be started, fails (with the last line of its standard error) or prints
/// something else than inputs.
std::vector<Input> inputs_of_command(const std::vector<std::string>& words,
                                     const std::string& folder, InputFormat format);

/// Most bytes that a file or command may give.
inline constexpr std::size_t kMostInputBytes = std::size_t{1} << 30;

}  // namespace osiiso::job
