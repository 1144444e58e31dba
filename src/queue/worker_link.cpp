// SPDX-License-Identifier: MIT
#include "queue/worker_link.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <span>
#include <utility>

#include "osiiso/error.hpp"

namespace osiiso::queue {
namespace {

// So much is more than a socket holds: all that a worker said before its end comes at once, but one
// that goes on and on does not fill our memory.
constexpr int kReadsAtOnce = 64;

}  // namespace

WorkerLink::WorkerLink(base::Descriptor socket) : socket_(std::move(socket)) {
  if (::fcntl(socket_.get(), F_SETFL, O_RDWR | O_NONBLOCK) != 0) {
    throw SystemError("cannot make a socket non-blocking", errno);
  }
}

short WorkerLink::events() const {
  return static_cast<short>(POLLIN | (sent_ < unsent_.size() ? POLLOUT : 0));
}

void WorkerLink::send(const Frame& frame) {
  append_frame(unsent_, frame);
  send_some();
}

void WorkerLink::transfer() {
  send_some();
  receive_some();
}

void WorkerLink::send_some() {
  while (!closed_ && sent_ < unsent_.size()) {
    const auto rest = std::span(unsent_).subspan(sent_);
    const auto size = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (size >= 0) {
      sent_ += static_cast<std::size_t>(size);
    } else if (errno != EINTR) {
      // A worker that is gone may have left an answer: receiving finds its end.
      if (errno == EAGAIN) return;
      break;
    }
  }
  unsent_ = {};
  sent_ = 0;
}

void WorkerLink::receive_some() {
  std::array<std::uint8_t, 64UL * 1024> piece;
  for (int reads = 0; !closed_ && reads < kReadsAtOnce; ++reads) {
    const auto size = ::recv(socket_.get(), piece.data(), piece.size(), 0);
    if (size > 0) {
      const auto got = static_cast<std::size_t>(size);
      reader_.add(std::span(piece).first(got));
      if (got < piece.size()) return;  // that is all there is
    } else if (size == 0 || (errno != EINTR && errno != EAGAIN)) {
      closed_ = true;
    } else if (errno == EAGAIN) {
      return;
    }
  }
}

}  // namespace osiiso::queue
