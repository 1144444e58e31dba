// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>

#include "base/descriptor.hpp"
#include "queue/worker_frame.hpp"

namespace osiiso::queue {

/// The queue's end of the connection to a worker, over any stream socket. It never waits: whoever
/// drives it polls `descriptor()` for `events()` and calls `transfer()`. Not thread-safe.
class WorkerLink {
 public:
  /// Makes the socket non-blocking. Throws `SystemError`.
  explicit WorkerLink(base::Descriptor socket);

  /// -1 (which poll() skips) once the other side is gone.
  int descriptor() const { return closed_ ? -1 : socket_.get(); }
  short events() const;

  /// Puts a frame behind those that wait to be sent. Throws `ProtocolError` where it is too large.
  void send(const Frame& frame);
  /// Sends and receives what can be without waiting.
  void transfer();
  /// The next frame that has come, also after the other side is gone. Throws `ProtocolError`.
  std::optional<Frame> next() { return reader_.next(); }

  /// The other side is gone.
  bool closed() const { return closed_; }

 private:
  void send_some();
  void receive_some();

  base::Descriptor socket_;
  FrameReader reader_;
  Bytes unsent_;
  std::size_t sent_ = 0;  // of unsent_
  bool closed_ = false;
};

}  // namespace osiiso::queue
