// SPDX-License-Identifier: MIT
#include <stdexcept>

#include "osiiso/command.hpp"

namespace osiiso {

// Commands are values here; running them is in src/process, which these tests do without.
CommandOutput Command::operator()(const TaskContext& /*context*/) const {
  throw std::logic_error("commands do not run in these tests");
}

}  // namespace osiiso
