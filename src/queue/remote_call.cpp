// SPDX-License-Identifier: MIT
#include "osiiso/remote_call.hpp"

#include "queue/image.hpp"
#include "queue/remote_entry.hpp"

namespace osiiso {

RemoteCall::RemoteCall(Entry entry, std::uintptr_t function, Bytes arguments, ReadValue read)
    : entry_offset_(queue::image_offset(reinterpret_cast<std::uintptr_t>(entry))),
      function_offset_(function == 0 ? 0 : queue::image_offset(function)),
      arguments_(std::make_shared<const Bytes>(std::move(arguments))),
      read_value_(read) {}

std::any RemoteCall::operator()(const TaskContext& context) const {
  return read_value_(queue::call_remote(entry_offset_, function_offset_, *arguments_, context));
}

namespace queue {

RemoteCall::Bytes call_remote(std::uint64_t entry, std::uint64_t function,
                              const RemoteCall::Bytes& arguments, const TaskContext& context) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): an address in the program's code
  const auto call = reinterpret_cast<RemoteCall::Entry>(image_address(entry));
  return call(function == 0 ? 0 : image_address(function), arguments, context);
}

}  // namespace queue

}  // namespace osiiso
