// SPDX-License-Identifier: MIT
#include "osiiso/task_context.hpp"

#include "base/stop_state.hpp"

namespace osiiso {

std::stop_token TaskContext::stop_token() const {
  return stop_->token();
}

}  // namespace osiiso
