// SPDX-License-Identifier: MIT
#include "process/run.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <optional>

#include "base/clock.hpp"
#include "base/descriptor.hpp"

namespace osiiso::process {
namespace {

// Wakes a poll() when a stop is requested. Made for each attempt: a descriptor that stayed open
// in a thread of the host's would be in its way, and saves a millionth of a second.
class StopWake {
 public:
  explicit StopWake(base::StopState& stop) : stop_(stop), wake_(base::make_eventfd()) {
    stop_.attach(wake_.get());
  }
  ~StopWake() { stop_.detach(); }
  StopWake(const StopWake&) = delete;
  StopWake& operator=(const StopWake&) = delete;

  int descriptor() const { return wake_.get(); }
  void clear() const {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto size = ::read(wake_.get(), &count, sizeof count);
  }

 private:
  base::StopState& stop_;
  base::Descriptor wake_;
};

void wait(std::array<pollfd, 4>& waited, std::optional<base::Instant> deadline) {
  timespec left{};
  if (deadline) {
    const Duration span = std::max(*deadline - base::now(), Duration::zero());
    const auto seconds = std::chrono::floor<std::chrono::seconds>(span);
    left.tv_sec = seconds.count();
    left.tv_nsec = (span - seconds).count();
  }
  if (::ppoll(waited.data(), waited.size(), deadline ? &left : nullptr, nullptr) >= 0) return;
  if (errno != EINTR) throw SystemError("cannot wait for a command (ppoll)", errno);
  for (pollfd& one : waited) one.revents = 0;
}

}  // namespace

void run_to_end(ChildRun& child, base::StopState& stop) {
  const StopWake wake(stop);
  while (!child.done()) {
    std::array<pollfd, 4> waited{{
        {wake.descriptor(), POLLIN, 0},
        {child.stdout_descriptor(), POLLIN, 0},
        {child.stderr_descriptor(), POLLIN, 0},
        {child.exit_descriptor(), POLLIN, 0},
    }};
    wait(waited, child.deadline());

    const base::Instant now = base::now();
    if (waited[0].revents != 0) {
      wake.clear();
      if (const auto request = stop.latest()) child.stop(*request, now);
    }
    for (const pollfd& one : waited) {
      if (one.revents != 0) child.on_readable(one.fd, now);
    }
    child.on_deadline(now);
  }
}

}  // namespace osiiso::process
