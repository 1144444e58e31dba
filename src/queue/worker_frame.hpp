// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "osiiso/error.hpp"

namespace osiiso::queue {

/// What came is no frame or message of this protocol.
class ProtocolError : public Error {
 public:
  using Error::Error;
};

/// What queue and worker say to each other; the payloads stand in worker_messages.hpp.
enum class FrameType : std::uint8_t {
  hello = 1,  // worker: who it is
  setup,      // queue: what to do before the first task
  ready,      // worker: that is done
  unready,    // worker: that failed
  task,       // queue
  started,    // worker: the task is about to run
  spawned,    // worker: the task's command runs
  output,     // worker: the task's command printed something
  stop,       // queue: the task shall end
  done,       // worker: how the task ended
  bye,        // queue: it needs the worker no more
};

using Bytes = std::vector<std::uint8_t>;

struct Frame {
  FrameType type;
  Bytes payload;
};

constexpr std::uint8_t kProtocolVersion = 1;
constexpr std::size_t kFrameHeaderSize = 8;
constexpr std::size_t kLargestPayload = 256UL * 1024 * 1024;

/// Appends the frame as it travels: the size of its payload (4 bytes, little-endian), the protocol
/// version, the type, two zeros, the payload. Throws `ProtocolError` where that is too large.
void append_frame(Bytes& out, const Frame& frame);

/// Finds the frames in bytes that come in pieces of any size. Knows nothing of where they come
/// from, and holds no more than what was added last and what had not been taken before.
class FrameReader {
 public:
  void add(std::span<const std::uint8_t> bytes);

  /// The next whole frame, or none yet. Throws `ProtocolError` as soon as a header cannot be one;
  /// from then on there is nothing to be found.
  std::optional<Frame> next();

  /// Bytes that it holds.
  std::size_t size() const { return bytes_.size(); }

 private:
  void forget_taken();

  Bytes bytes_;
  std::size_t begin_ = 0;  // of what was not taken yet
};

}  // namespace osiiso::queue
