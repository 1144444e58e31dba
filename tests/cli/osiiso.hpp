// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/program.hpp"

namespace osiiso::test {

/// What peak memory may be above its bound: a sanitizer has memory of its own, and that of the
/// addresses keeps 256 MiB of what was freed.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr long kSanitizerKib = 512L * 1024;
#else
constexpr long kSanitizerKib = 0;
#endif

inline Invocation osiiso_with(std::vector<std::string> arguments, std::string input = {}) {
  arguments.insert(arguments.begin(), OSIISO_PROGRAM);
  Invocation invocation;
  invocation.arguments = std::move(arguments);
  invocation.input = std::move(input);
  return invocation;
}

/// Runs the program with these arguments and this standard input.
inline Ended run_osiiso(std::vector<std::string> arguments, std::string input = {}) {
  return run_program(osiiso_with(std::move(arguments), std::move(input)));
}

/// Runs a job file and reads the JSON summary, which must be all of standard output.
inline nlohmann::json run_json(std::string job, std::vector<std::string> options = {}) {
  options.insert(options.begin(), {"run", "-", "--json"});
  return nlohmann::json::parse(run_osiiso(std::move(options), std::move(job)).out);
}

}  // namespace osiiso::test
