// SPDX-License-Identifier: MIT
#include "cli/console.hpp"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include <climits>

#include "base/clock.hpp"
#include "base/format.hpp"
#include "base/links.hpp"
#include "base/text.hpp"
#include "cli/variable.hpp"

namespace osiiso::cli {
namespace {

using namespace std::chrono_literals;

// How long a reader is waited for once the run is being ended.
constexpr Duration kLastPatience = 1s;
constexpr int kLookAgainAfter = 100;  // milliseconds

bool is_same_file(int one, int other) {
  struct stat first {};
  struct stat second {};
  return ::fstat(one, &first) == 0 && ::fstat(other, &second) == 0 &&
         base::is_same_file(first, second);
}

std::size_t place_of(int descriptor) {
  return descriptor == STDOUT_FILENO ? 0 : 1;
}

}  // namespace

Console::Console() : is_one_(is_same_file(STDOUT_FILENO, STDERR_FILENO)) {}

Console& console() {
  static Console the_console;
  return the_console;
}

std::mutex& Console::mutex_of(int descriptor) {
  return mutexes_.at(is_one_ ? 1 : place_of(descriptor));
}

int Console::write(int descriptor, std::string_view text) {
  const std::lock_guard lock(mutex_of(descriptor));
  if (is_one_ || descriptor == STDERR_FILENO) erase();
  return write_locked(descriptor, text);
}

int Console::write_locked(int descriptor, std::string_view text) {
  int& error = errors_.at(place_of(descriptor));
  while (error == 0 && !text.empty()) {
    if (!wait_for_reader(descriptor)) {
      error = ETIMEDOUT;
      break;
    }
    // As much as a pipe with room surely takes, so that write(2) itself does not wait.
    const auto written =
        ::write(descriptor, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR && errno != EAGAIN) {
      error = errno;
    }
  }
  return error;
}

bool Console::wait_for_reader(int descriptor) const {
  pollfd waited{.fd = descriptor, .events = POLLOUT, .revents = 0};
  auto give_up_at = base::Instant::max();
  for (;;) {
    if (::poll(&waited, 1, kLookAgainAfter) > 0) return true;
    const auto now = base::now();
    if (now >= give_up_at) return false;
    if (in_a_hurry_) give_up_at = std::min(give_up_at, base::saturating_add(now, kLastPatience));
  }
}

void Console::draw(std::string_view lines) {
  const std::unique_lock lock(mutex_of(STDERR_FILENO), std::try_to_lock);
  pollfd terminal{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  if (!lock || ::poll(&terminal, 1, 0) != 1) return;
  erase();
  if (write_locked(STDERR_FILENO, lines) != 0) return;
  lines_drawn_ = static_cast<std::size_t>(std::ranges::count(lines, '\n'));
}

void Console::erase() {
  if (lines_drawn_ == 0) return;
  write_locked(STDERR_FILENO, base::format("\x1b[{}A\r\x1b[J", lines_drawn_));
  lines_drawn_ = 0;
}

bool takes_colours(int descriptor, Colour when) {
  if (when != Colour::automatic) return when == Colour::always;
  return ::isatty(descriptor) == 1 && variable("TERM") != "dumb" && variable("NO_COLOR").empty();
}

std::string shown_on(int descriptor, const std::string& printed) {
  if (::isatty(descriptor) != 1) return printed;
  std::string text = base::escape_all_but_colours(printed);
  if (!text.empty() && text.back() != '\n') text += '\n';
  return text;
}

}  // namespace osiiso::cli
