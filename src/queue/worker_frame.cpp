// SPDX-License-Identifier: MIT
#include "queue/worker_frame.hpp"

#include "base/format.hpp"

namespace osiiso::queue {
namespace {

constexpr std::size_t kLargestKept = 1024UL * 1024;

}  // namespace

void append_frame(Bytes& out, const Frame& frame) {
  const std::size_t size = frame.payload.size();
  if (size > kLargestPayload) {
    throw ProtocolError(
        base::format("{} bytes are too many to cross between processes, {} are the "
                     "most",
                     size, kLargestPayload));
  }
  out.reserve(out.size() + kFrameHeaderSize + size);
  for (unsigned shift = 0; shift < 32; shift += 8) {
    out.push_back(static_cast<std::uint8_t>(size >> shift));
  }
  out.push_back(kProtocolVersion);
  out.push_back(static_cast<std::uint8_t>(frame.type));
  out.insert(out.end(), 2, 0);
  out.insert(out.end(), frame.payload.begin(), frame.payload.end());
}

void FrameReader::add(std::span<const std::uint8_t> bytes) {
  forget_taken();
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

std::optional<Frame> FrameReader::next() {
  if (bytes_.size() - begin_ < kFrameHeaderSize) return {};
  const std::uint8_t* const header = bytes_.data() + begin_;
  std::size_t size = 0;
  for (unsigned i = 0; i < 4; ++i) size |= std::size_t{header[i]} << (8 * i);
  const std::uint8_t version = header[4];
  const std::uint8_t type = header[5];

  if (version != kProtocolVersion) {
    throw ProtocolError(
        base::format("the worker protocol has version {}, not {}", kProtocolVersion, version));
  }
  if (type < static_cast<std::uint8_t>(FrameType::hello) ||
      type > static_cast<std::uint8_t>(FrameType::bye)) {
    throw ProtocolError(base::format("the worker protocol has no frame of type {}", type));
  }
  if (header[6] != 0 || header[7] != 0 || size > kLargestPayload) {
    throw ProtocolError(base::format("a frame of the worker protocol is broken (size {})", size));
  }

  if (bytes_.size() - begin_ - kFrameHeaderSize < size) return {};
  const std::uint8_t* const payload = header + kFrameHeaderSize;
  Frame frame{static_cast<FrameType>(type), Bytes(payload, payload + size)};
  begin_ += kFrameHeaderSize + size;
  if (begin_ == bytes_.size()) forget_taken();
  return frame;
}

void FrameReader::forget_taken() {
  bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(begin_));
  begin_ = 0;
  // Small buffers are worth keeping, one that held megabytes is not.
  if (bytes_.empty() && bytes_.capacity() > kLargestKept) bytes_ = {};
}

}  // namespace osiiso::queue
