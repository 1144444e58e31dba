// SPDX-License-Identifier: MIT
#include "cli/console.hpp"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

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

// How often it is tried to erase what is drawn, and after which time.
constexpr int kMostLooks = 100;
constexpr Duration kBetweenLooks = 5ms;

bool is_same_file(int one, int other) {
  struct stat first {};
  struct stat second {};
  return ::fstat(one, &first) == 0 && ::fstat(other, &second) == 0 &&
         base::is_same_file(first, second);
}

/// Whether it takes something without a wait.
bool has_room(int descriptor) {
  pollfd polled{.fd = descriptor, .events = POLLOUT, .revents = 0};
  return ::poll(&polled, 1, 0) == 1;
}

/// The lines over those that were drawn before. Each in place: a terminal that is erased from its
/// first row on may take all of that for text to keep (tmux does, in its history).
std::string in_place(std::string_view lines, std::size_t drawn_before) {
  std::string text = drawn_before > 0 ? base::format("\x1b[{}A\r", drawn_before) : "";
  for (const char c : lines) {
    if (c == '\n') text += "\x1b[K";
    text += c;
  }
  return text + "\x1b[J";
}

}  // namespace

Console::Console() : is_one_(is_same_file(STDOUT_FILENO, STDERR_FILENO)) {}

Console& console() {
  static Console the_console;
  return the_console;
}

std::size_t Console::place_of(int descriptor) const {
  return descriptor == STDOUT_FILENO && !is_one_ ? 0 : 1;
}

int Console::write(int descriptor, std::string_view text) {
  const std::lock_guard lock(mutex_of(descriptor));
  return write_text(descriptor, text);
}

int Console::write_line(int descriptor, std::string_view text) {
  const std::lock_guard lock(mutex_of(descriptor));
  if (are_in_line_.at(place_of(descriptor)) && !text.empty()) write_text(descriptor, "\n");
  return write_text(descriptor, text);
}

int Console::write_text(int descriptor, std::string_view text) {
  if (is_one_ || descriptor == STDERR_FILENO) erase();
  if (!text.empty()) are_in_line_.at(place_of(descriptor)) = text.back() != '\n';
  return write_locked(descriptor, text);
}

int Console::write_locked(int descriptor, std::string_view text) {
  int& error = errors_.at(descriptor == STDOUT_FILENO ? 0 : 1);
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
  if (!lock || is_drawing_stopped_ || !has_room(STDERR_FILENO)) return;
  if (lines.empty()) return erase();
  if (write_locked(STDERR_FILENO, in_place(lines, lines_drawn_)) != 0) return;
  lines_drawn_ = static_cast<std::size_t>(std::ranges::count(lines, '\n'));
}

void Console::stop_drawing() {
  is_drawing_stopped_ = true;
  // Who holds the lock for longer waits for a busy terminal, and what was drawn is erased already.
  for (int look = 0; look < kMostLooks; ++look) {
    const std::unique_lock lock(mutex_of(STDERR_FILENO), std::try_to_lock);
    if (!lock) {
      std::this_thread::sleep_for(kBetweenLooks);
      continue;
    }
    if (has_room(STDERR_FILENO)) erase();
    return;
  }
}

void Console::go_on_drawing() {
  lines_drawn_ = 0;
  is_drawing_stopped_ = false;
}

void Console::erase() {
  if (lines_drawn_ == 0) return;
  write_locked(STDERR_FILENO, base::format("\x1b[{}A\r\x1b[J", lines_drawn_.load()));
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
