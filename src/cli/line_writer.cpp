// SPDX-License-Identifier: MIT
#include "cli/line_writer.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <utility>

#include <climits>

#include "osiiso/error.hpp"

#include "base/clock.hpp"
#include "base/signals.hpp"
#include "base/thread.hpp"

namespace osiiso::cli {
namespace {

/// Writes all of `text`. The errno of what went wrong, or 0.
int write_waiting(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {  // somebody else made it non-blocking
      pollfd waited{descriptor, POLLOUT, 0};
      ::poll(&waited, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

/// The beginning of `lines` that is written in one piece: a longer line alone.
std::string_view next_piece(std::string_view lines) {
  if (lines.size() <= PIPE_BUF) return lines;
  auto end = lines.rfind('\n', PIPE_BUF - 1);
  if (end == std::string_view::npos) end = lines.find('\n');
  return lines.substr(0, end + 1);
}

std::string text_of(int error) {
  return std::generic_category().message(error);
}

}  // namespace

struct LineWriter::State {
  State(base::Descriptor to, std::function<void(const std::string&)> tell)
      : out(std::move(to)), on_failure(std::move(tell)) {}

  const base::Descriptor out;
  const std::function<void(const std::string&)> on_failure;

  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by mutex.
  std::string waiting;
  bool is_writing = false;
  bool is_over = false;  // no more lines come, or are taken
  bool has_failed = false;

  bool is_idle() const { return waiting.empty() && !is_writing; }

  /// Returns whether it was the first failure, which must be told without the lock.
  bool fail() {
    is_over = true;
    changed.notify_all();
    return !std::exchange(has_failed, true);
  }
};

LineWriter::LineWriter(base::Descriptor out, std::function<void(const std::string&)> on_failure)
    : state_(std::make_shared<State>(std::move(out), std::move(on_failure))) {
  const base::SignalsBlocked blocked;
  thread_ = base::start_thread("a thread", [state = state_] { work(state); });
}

LineWriter::~LineWriter() {
  if (thread_.joinable()) finish(Duration{0});
}

void LineWriter::write(std::string_view line) {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->is_over) return;
    if (state_->waiting.size() + line.size() <= kMostWaiting) {
      state_->waiting += line;
      if (!state_->is_writing) state_->changed.notify_all();
      return;
    }
    if (!state_->fail()) return;
  }
  state_->on_failure("they are read too slowly");
}

bool LineWriter::finish(Duration patience) {
  bool is_stuck = false;
  bool is_first_failure = false;
  bool has_failed = false;
  {
    std::unique_lock lock(state_->mutex);
    state_->is_over = true;
    state_->changed.notify_all();
    if (state_->has_failed) patience = {};  // the rest is not waited for
    is_stuck = !base::wait_until(state_->changed, lock, base::saturating_add(base::now(), patience),
                                 [this] { return state_->is_idle(); });
    if (is_stuck) is_first_failure = state_->fail();
    has_failed = state_->has_failed;
  }
  is_stuck ? thread_.detach() : thread_.join();
  if (is_first_failure) state_->on_failure("they are read too slowly");
  return !has_failed;
}

void LineWriter::work(const std::shared_ptr<State>& state) {
  std::string lines;
  std::unique_lock lock(state->mutex);
  for (;;) {
    state->changed.wait(lock, [&] { return !state->waiting.empty() || state->is_over; });
    if (state->waiting.empty()) return;
    lines.clear();
    lines.swap(state->waiting);
    state->is_writing = true;
    lock.unlock();
    int error = 0;
    for (std::string_view rest = lines; !rest.empty() && error == 0;) {
      const auto piece = next_piece(rest);
      error = write_waiting(state->out.get(), piece);
      rest.remove_prefix(piece.size());
    }
    lock.lock();
    state->is_writing = false;
    if (error != 0) {
      state->waiting.clear();
      const bool is_first = state->fail();
      lock.unlock();
      if (is_first) state->on_failure(text_of(error));
      return;
    }
    state->changed.notify_all();
  }
}

}  // namespace osiiso::cli
