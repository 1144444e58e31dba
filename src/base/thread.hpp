// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "osiiso/error.hpp"

namespace osiiso::base {

/// Throws `SystemError`, which says that `purpose` ("the thread that does this") cannot be started.
template <typename Body>
std::thread start_thread(const char* purpose, Body body) {
  try {
    return std::thread(std::move(body));
  } catch (const std::system_error& failed) {
    throw SystemError(std::string("cannot start ") + purpose, failed.code().value());
  }
}

}  // namespace osiiso::base
