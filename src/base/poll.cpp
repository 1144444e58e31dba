// SPDX-License-Identifier: MIT
#include "base/poll.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>

#include "osiiso/error.hpp"

namespace osiiso::base {

void poll_until(std::span<pollfd> waited, std::optional<Instant> deadline) {
  timespec left{};
  if (deadline) {
    const Duration span = std::max(*deadline - now(), Duration::zero());
    const auto seconds = std::chrono::floor<std::chrono::seconds>(span);
    left.tv_sec = seconds.count();
    left.tv_nsec = (span - seconds).count();
  }
  if (::ppoll(waited.data(), waited.size(), deadline ? &left : nullptr, nullptr) >= 0) return;
  if (errno != EINTR) throw SystemError("cannot wait for a process (ppoll)", errno);
  for (pollfd& one : waited) one.revents = 0;
}

StopWake::StopWake(StopState& stop, const Descriptor& event) : stop_(stop), event_(event) {
  clear();  // of what was for the one before
  stop_.attach(*this);
}

StopWake::~StopWake() {
  stop_.detach();
}

std::optional<StopRequest> StopWake::take() {
  clear();
  return stop_.latest();
}

void StopWake::clear() const {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto size = ::read(event_.get(), &count, sizeof count);
}

void StopWake::wake() noexcept {
  base::wake(event_);
}

bool wait_for_stop(StopSource& stops, Instant until) {
  while (now() < until) {
    pollfd waited{stops.descriptor(), POLLIN, 0};
    poll_until({&waited, 1}, until);
    if (waited.revents != 0 && stops.take()) return true;
  }
  return false;
}

}  // namespace osiiso::base
