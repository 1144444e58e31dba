// SPDX-License-Identifier: MIT
//
// What comes from a worker process or is sent to one: any bytes are frames or refused.
#include <algorithm>
#include <span>

#include "fuzz/fuzz.hpp"
#include "queue/worker_frame.hpp"
#include "queue/worker_messages.hpp"

using namespace osiiso::queue;  // NOLINT(google-build-using-namespace)

namespace {

template <typename Message>
void try_decode(const Frame& frame) {
  try {
    decode<Message>(frame);
  } catch (const ProtocolError&) {  // refused
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t step = 1 + data[0] % 64;  // in pieces of that size
  const std::span bytes(data + 1, size - 1);
  FrameReader reader;
  try {
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      reader.add(bytes.subspan(at, std::min(step, bytes.size() - at)));
      while (const auto frame = reader.next()) {
        try_decode<HelloMessage>(*frame);
        try_decode<SetupMessage>(*frame);
        try_decode<UnreadyMessage>(*frame);
        try_decode<TaskMessage>(*frame);
        try_decode<StartedMessage>(*frame);
        try_decode<StopMessage>(*frame);
        try_decode<OutputMessage>(*frame);
        try_decode<DoneMessage>(*frame);
      }
    }
  } catch (const ProtocolError&) {  // refused
  }
  return 0;
}
