// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "osiiso/command.hpp"
#include "osiiso/task_context.hpp"

#include "queue/worker_frame.hpp"

namespace osiiso::queue {

// The payloads of the frames. `encode` makes a frame of each; `decode<Message>` reads it, and
// throws `ProtocolError` where it holds something else.

struct HelloMessage {
  std::string build_id;  // of the program that it is an execution of
  std::int64_t pid = 0;
};

struct SetupMessage {
  std::uint64_t initializer = 0;  // offset in the image, 0: none
  Duration grace{0};              // for processes that commands leave behind on purpose
  bool owns_orphans = false;      // as the program itself does
  bool claims_strays = false;     // likewise
  bool needs_listener = false;    // functions are to come: a second thread hears of their end
};

/// An exception.
struct ThrownMessage {
  std::string type_name;
  std::string what;
};

struct ReadyMessage {};

struct UnreadyMessage {
  ThrownMessage thrown;  // by the initializer, unless
  int lack = 0;          // errno: the system had no thread to listen with
};

/// A function, as `RemoteCall` has it.
struct CallMessage {
  std::uint64_t entry = 0;
  std::uint64_t function = 0;
  Bytes arguments;
};

struct TaskMessage {
  std::uint64_t number = 0;  // of the attempt among those of this worker
  TaskContext::Identity identity;
  std::variant<CallMessage, Command> body;
  bool tells_spawn = false;   // in a `SpawnedMessage`
  bool tells_output = false;  // as it comes, in `OutputMessage`s
};

struct StartedMessage {
  std::uint64_t number = 0;
};

struct SpawnedMessage {
  std::uint64_t number = 0;
  std::int64_t pid = 0;
};

struct OutputMessage {
  std::uint64_t number = 0;
  OutputStream stream = OutputStream::out;
  std::string text;
};

struct StopMessage {
  std::uint64_t number = 0;
  int signal = 0;
  Duration grace{0};
};

/// A `CommandError`.
struct CommandFailure {
  std::string message;
  Cause cause = Cause::error;
  CommandOutput output;
};

struct DoneMessage {
  std::uint64_t number = 0;
  bool keeps_processes = false;  // the worker holds what a command left behind on purpose
  std::variant<Bytes, ThrownMessage, CommandOutput, CommandFailure> outcome;
};

struct ByeMessage {};

Frame encode(const HelloMessage& message);
Frame encode(const SetupMessage& message);
Frame encode(const ReadyMessage& message);
Frame encode(const UnreadyMessage& message);
Frame encode(const TaskMessage& message);
Frame encode(const StartedMessage& message);
Frame encode(const SpawnedMessage& message);
Frame encode(const OutputMessage& message);
Frame encode(const StopMessage& message);
Frame encode(const DoneMessage& message);
Frame encode(const ByeMessage& message);

template <typename Message>
Message decode(const Frame& frame);
template <>
HelloMessage decode(const Frame& frame);
template <>
SetupMessage decode(const Frame& frame);
template <>
UnreadyMessage decode(const Frame& frame);
template <>
TaskMessage decode(const Frame& frame);
template <>
StartedMessage decode(const Frame& frame);
template <>
SpawnedMessage decode(const Frame& frame);
template <>
OutputMessage decode(const Frame& frame);
template <>
StopMessage decode(const Frame& frame);
template <>
DoneMessage decode(const Frame& frame);

}  // namespace osiiso::queue
