// SPDX-License-Identifier: MIT
#include "process/environment.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "osiiso/error.hpp"

namespace osiiso::process {
namespace {

constexpr char kNul = '\0';

std::string_view name_of(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

void check(const std::string& name, const std::optional<std::string>& value) {
  if (name.empty() || name.find('=') != std::string::npos) {
    throw OptionError("the name of a variable must not be empty or hold a '='");
  }
  if (name.find(kNul) != std::string::npos || (value && value->find(kNul) != std::string::npos)) {
    throw OptionError("a variable must not hold a NUL byte");
  }
}

// Where a program believes itself to be. Shells distrust a PWD with dots in it, so they are taken
// out where that cannot change the meaning: not beside `..`, which may lead through a link.
std::string working_directory(const std::string& cwd) {
  std::error_code failed;
  const std::filesystem::path path = std::filesystem::absolute(cwd, failed);
  if (failed) return cwd;
  if (std::ranges::find(path, "..") != path.end()) return path.string();
  std::string plain = path.lexically_normal().string();
  if (plain.size() > 1 && plain.back() == '/') plain.pop_back();
  return plain;
}

// What the program has for `name`, by a look at environ: getenv() is a lock that others take too.
std::string_view inherited(std::string_view name) {
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view variable = *at;
    if (variable.size() > name.size() && variable.starts_with(name) &&
        variable[name.size()] == '=') {
      return variable.substr(name.size() + 1);
    }
  }
  return {};
}

// The ids of every osiiso around this process, the outermost first: how its descendants are found
// again wherever they went.
std::string mark(const TaskContext& context) {
  std::string text(inherited(kMarkVariable));
  if (!text.empty()) text += ':';
  return text += task_mark(context);
}

}  // namespace

std::string task_mark(const TaskContext& context) {
  return context.run_id() + '.' + context.task_id();
}

Environment::Environment(const Overrides& overrides, std::string_view variables,
                         const std::string& cwd, const TaskContext& context) {
  ours_.reserve(overrides.size() + 12);
  for (const auto& [name, value] : overrides) {
    check(name, value);
    value ? set(name, *value) : unset(name);
  }
  while (!variables.empty()) {
    const std::string_view variable = variables.substr(0, variables.find(kNul));
    const std::string_view name = name_of(variable);
    set(name, variable.substr(name.size() + 1));
    variables.remove_prefix(variable.size() + 1);
  }
  set("OSIISO_RUN_ID", context.run_id());
  set("OSIISO_TASK_ID", context.task_id());
  set("OSIISO_TASK", context.name());
  set("OSIISO_ATTEMPT", std::to_string(context.attempt()));
  set("OSIISO_MAX_ATTEMPTS", std::to_string(context.max_attempts()));
  set(kMarkVariable, mark(context));
  // A task in no group must not seem to be in that of an osiiso around us.
  context.group_id().empty() ? unset("OSIISO_GROUP") : set("OSIISO_GROUP", context.group_id());
  if (!cwd.empty()) set("PWD", working_directory(cwd));
  settle();

  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view name = name_of(*at);
    if (!std::ranges::binary_search(ours_, name, {}, &Variable::name)) block_.push_back(*at);
  }
  for (const Variable& variable : ours_) {
    if (variable.is_set) block_.push_back(variable.text.c_str());
  }
}

std::optional<std::string_view> Environment::find(std::string_view name) const {
  for (const std::string_view variable : block_) {
    if (name_of(variable) == name && variable.size() > name.size()) {
      return variable.substr(name.size() + 1);
    }
  }
  return {};
}

void Environment::set(std::string_view name, std::string_view value) {
  std::string text;
  text.reserve(name.size() + 1 + value.size());
  text.append(name).append(1, '=').append(value);
  ours_.push_back({std::move(text), name.size(), true});
}

void Environment::unset(std::string_view name) {
  ours_.push_back({std::string(name), name.size(), false});
}

// Of several variables of one name the last one stays.
void Environment::settle() {
  std::ranges::stable_sort(ours_, {}, &Variable::name);
  const auto superseded = [](const Variable& one, const Variable& next) {
    return one.name() == next.name();
  };
  // std::unique keeps the first of its run: from the back, that is the last.
  const auto kept = std::unique(ours_.rbegin(), ours_.rend(), superseded);
  ours_.erase(ours_.begin(), kept.base());
}

}  // namespace osiiso::process
