// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "osiiso/remote_call.hpp"

namespace osiiso::queue {

/// Makes the call that a `RemoteCall` tells of, in this process; returns the value's bytes. Throws
/// what the function throws.
RemoteCall::Bytes call_remote(std::uint64_t entry, std::uint64_t function,
                              const RemoteCall::Bytes& arguments, const TaskContext& context);

}  // namespace osiiso::queue
