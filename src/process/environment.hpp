// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "osiiso/task_context.hpp"

namespace osiiso::process {

/// What the mark in the environment of a task's processes says of the task.
std::string task_mark(const TaskContext& context);

/// Where that stands, after those of every osiiso around this process.
inline constexpr const char* kMarkVariable = "OSIISO_MARK";

/// The environment block of a child: what the program itself has, overridden by the settings of
/// the command, then by the variables of the command, then by those that tell the task who it is.
///
/// What the program has is referred to, not copied: like getenv(3), a block must not be built or
/// used while another thread calls setenv.
class Environment {
 public:
  using Overrides = std::map<std::string, std::optional<std::string>>;

  /// `variables`: `name=value` strings, each ended by a NUL. `cwd`: what PWD is to say, empty to
  /// leave it alone. Throws `OptionError` where an override cannot be a variable.
  Environment(const Overrides& overrides, std::string_view variables, const std::string& cwd,
              const TaskContext& context);

  /// Pointers into this object and the program's environment; the null at the end is left out.
  const std::vector<const char*>& block() const { return block_; }

  /// The value of a variable of the block, or none.
  std::optional<std::string_view> find(std::string_view name) const;

 private:
  struct Variable {
    std::string text;  // name=value
    std::size_t name_size;
    bool is_set;  // else it is kept out of the block
    std::string_view name() const { return std::string_view(text).substr(0, name_size); }
  };

  void set(std::string_view name, std::string_view value);
  void unset(std::string_view name);
  void settle();

  std::vector<Variable> ours_;  // after settle(): sorted by name, each name once
  std::vector<const char*> block_;
};

}  // namespace osiiso::process
