// SPDX-License-Identifier: MIT
#include "base/descriptor.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "osiiso/error.hpp"

namespace osiiso::base {

void Descriptor::reset() {
  // Linux frees the number even when close() reports EINTR, so it is never called twice.
  if (number_ >= 0) ::close(std::exchange(number_, -1));
}

Pipe make_pipe(int flags) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), flags | O_CLOEXEC) != 0) throw SystemError("cannot make a pipe", errno);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

Descriptor make_eventfd() {
  Descriptor made(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!made) throw SystemError("cannot make an eventfd", errno);
  return made;
}

void wake(const Descriptor& eventfd) noexcept {
  const std::uint64_t one = 1;
  // The only failure is a full counter, which wakes just as well.
  [[maybe_unused]] const auto written = ::write(eventfd.get(), &one, sizeof one);
}

Descriptor open_for_reading(const std::string& path) {
  Descriptor opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened) throw SystemError("cannot open '" + path + "'", errno);
  return opened;
}

}  // namespace osiiso::base
