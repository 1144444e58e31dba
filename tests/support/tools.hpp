// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <string>

#include <doctest/doctest.h>

namespace osiiso::test {

/// Whether somebody else's program that a test looks through is installed; where it is not, the
/// output says what goes unchecked.
inline bool has_tool(const std::string& program) {
  if (std::system(("command -v " + program + " > /dev/null").c_str()) == 0) return true;
  MESSAGE("not checked: there is no " << program);
  return false;
}

}  // namespace osiiso::test
