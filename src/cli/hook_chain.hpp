// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <utility>

namespace osiiso::cli {

/// Adds one more that a hook calls, after those that it calls already.
template <typename... Arguments, typename Call>
void add_call(std::function<void(Arguments...)>& hook, Call call) {
  if (!hook) {
    hook = std::move(call);
    return;
  }
  hook = [first = std::move(hook), then = std::move(call)](const Arguments&... arguments) {
    first(arguments...);
    then(arguments...);
  };
}

}  // namespace osiiso::cli
