// SPDX-License-Identifier: MIT
#include "osiiso/error.hpp"

#include <system_error>

namespace osiiso {

SystemError::SystemError(const std::string& what_failed, int error_number)
    : Error(what_failed + ": " + std::generic_category().message(error_number)),
      code_(error_number) {}

}  // namespace osiiso
