// SPDX-License-Identifier: MIT
#include "queue/worker_messages.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "osiiso/remote_call.hpp"

#include "base/format.hpp"
#include "model/command_output_json.hpp"
#include "model/json_values.hpp"

namespace osiiso::queue {
namespace {

using model::of;
using model::to_duration;
using model::to_optional;
using nlohmann::json;

Frame make_frame(FrameType type, const json& payload) {
  return {type, json::to_cbor(payload)};
}

/// The payload of a frame that must be of this type, read by `read`.
template <typename Read>
auto read_frame(const Frame& frame, FrameType type, Read read) {
  if (frame.type != type) {
    throw ProtocolError(base::format("a frame of type {} came where one of type {} was due",
                                     static_cast<int>(frame.type), static_cast<int>(type)));
  }
  try {
    return read(detail::read_cbor(frame.payload));
  } catch (const json::exception& error) {
    throw ProtocolError(
        base::format("a frame of type {} is broken: {}", static_cast<int>(type), error.what()));
  } catch (const Error& error) {
    throw ProtocolError(
        base::format("a frame of type {} is broken: {}", static_cast<int>(type), error.what()));
  }
}

json to_binary(const Bytes& bytes) {
  return json::binary(bytes);
}

Bytes from_binary(const json& value) {
  return value.get_binary();
}

json of(const ThrownMessage& thrown) {
  return {{"type", thrown.type_name}, {"what", thrown.what}};
}

ThrownMessage to_thrown(const json& value) {
  return {.type_name = value.at("type"), .what = value.at("what")};
}

json of(const TaskContext::Identity& identity) {
  return {{"run_id", identity.run_id},   {"task_id", identity.task_id},
          {"name", identity.name},       {"group_id", identity.group_id},
          {"attempt", identity.attempt}, {"max_attempts", identity.max_attempts},
          {"worker", identity.worker},   {"grace", of(identity.grace)}};
}

TaskContext::Identity to_identity(const json& value) {
  return {.run_id = value.at("run_id"),
          .task_id = value.at("task_id"),
          .name = value.at("name"),
          .group_id = value.at("group_id"),
          .attempt = value.at("attempt"),
          .max_attempts = value.at("max_attempts"),
          .worker = value.at("worker"),
          .grace = to_duration(value.at("grace"))};
}

json of(const CallMessage& call) {
  return {
      {"entry", call.entry}, {"function", call.function}, {"arguments", to_binary(call.arguments)}};
}

CallMessage to_call(const json& value) {
  return {.entry = value.at("entry"),
          .function = value.at("function"),
          .arguments = from_binary(value.at("arguments"))};
}

json of(const CommandSettings& settings) {
  auto env = json::object();
  for (const auto& [name, value] : settings.env) env[name] = of(value);
  return {{"env", std::move(env)},
          {"cwd", settings.cwd},
          {"stdin_text", of(settings.stdin_text)},
          {"stdin_file", of(settings.stdin_file)},
          {"shell", settings.shell},
          {"ok_codes", settings.ok_codes},
          {"leak", static_cast<int>(settings.leak)}};
}

Leak to_leak(int number) {
  if (number < static_cast<int>(Leak::kill) || number > static_cast<int>(Leak::keep)) {
    throw ProtocolError(base::format("{} is no leak", number));
  }
  return static_cast<Leak>(number);
}

CommandSettings to_settings(const json& value) {
  CommandSettings settings;
  for (const auto& [name, set] : value.at("env").items()) {
    settings.env[name] = to_optional<std::string>(set);
  }
  settings.cwd = value.at("cwd");
  settings.stdin_text = to_optional<std::string>(value.at("stdin_text"));
  settings.stdin_file = to_optional<std::string>(value.at("stdin_file"));
  settings.shell = value.at("shell").get<std::vector<std::string>>();
  settings.ok_codes = value.at("ok_codes").get<std::vector<int>>();
  settings.leak = to_leak(value.at("leak"));
  return settings;
}

json of(const Command& command) {
  return {{"is_shell", command.is_shell()},
          {"words", command.words()},
          {"variables", command.variables()},
          {"settings", of(command.settings())}};
}

void add_variables(Command& command, std::string_view variables) {
  while (!variables.empty()) {
    const std::size_t end = variables.find('\0');
    const std::size_t equals = variables.find('=');
    if (end == std::string_view::npos || equals > end) {
      throw ProtocolError("a command has a variable without a name");
    }
    command.with_variable(variables.substr(0, equals),
                          variables.substr(equals + 1, end - equals - 1));
    variables.remove_prefix(end + 1);
  }
}

Command to_command(const json& value) {
  auto settings = std::make_shared<const CommandSettings>(to_settings(value.at("settings")));
  const auto words = value.at("words").get<std::vector<std::string>>();
  const bool is_shell = value.at("is_shell");
  if (is_shell && words.size() != 1) throw ProtocolError("a shell command is one text");
  auto command = is_shell ? Command::shell(words.front(), std::move(settings))
                          : Command::argv(words, std::move(settings));
  add_variables(command, value.at("variables").get<std::string>());
  return command;
}

// What is left behind is no part of the output as checkpoints keep it: it belongs to this run.
json of(const CommandOutput& output) {
  json value = model::to_json(output);
  auto& leaked = value["leaked"] = json::array();
  for (const auto& process : output.leaked) {
    leaked.push_back(
        {{"pid", process.pid}, {"command", process.command}, {"age", of(process.age)}});
  }
  return value;
}

CommandOutput to_output(const json& value) {
  CommandOutput output = model::to_command_output(value);
  for (const auto& process : value.at("leaked")) {
    output.leaked.push_back({.pid = process.at("pid"),
                             .command = process.at("command"),
                             .age = to_duration(process.at("age"))});
  }
  return output;
}

Cause to_cause(int number) {
  if (number < static_cast<int>(Cause::none) || number > static_cast<int>(Cause::error)) {
    throw ProtocolError(base::format("{} is no cause", number));
  }
  return static_cast<Cause>(number);
}

struct OutcomeToJson {
  json operator()(const Bytes& value) const { return {{"value", to_binary(value)}}; }
  json operator()(const ThrownMessage& thrown) const { return {{"thrown", of(thrown)}}; }
  json operator()(const CommandOutput& output) const { return {{"output", of(output)}}; }
  json operator()(const CommandFailure& failure) const {
    return {{"output", of(failure.output)},
            {"message", failure.message},
            {"cause", static_cast<int>(failure.cause)}};
  }
};

}  // namespace

Frame encode(const HelloMessage& message) {
  return make_frame(FrameType::hello, {{"build_id", message.build_id}, {"pid", message.pid}});
}

Frame encode(const SetupMessage& message) {
  return make_frame(FrameType::setup, {{"initializer", message.initializer},
                                       {"grace", of(message.grace)},
                                       {"owns_orphans", message.owns_orphans},
                                       {"claims_strays", message.claims_strays}});
}

Frame encode(const ReadyMessage& /*message*/) {
  return {FrameType::ready, {}};
}

Frame encode(const UnreadyMessage& message) {
  return make_frame(FrameType::unready, {{"thrown", of(message.thrown)}, {"lack", message.lack}});
}

Frame encode(const TaskMessage& message) {
  json payload = {{"number", message.number},
                  {"identity", of(message.identity)},
                  {"tells_spawn", message.tells_spawn},
                  {"tells_output", message.tells_output}};
  if (const auto* call = std::get_if<CallMessage>(&message.body)) {
    payload["call"] = of(*call);
  } else {
    payload["command"] = of(std::get<Command>(message.body));
  }
  return make_frame(FrameType::task, payload);
}

Frame encode(const StartedMessage& message) {
  return make_frame(FrameType::started, {{"number", message.number}});
}

Frame encode(const SpawnedMessage& message) {
  return make_frame(FrameType::spawned, {{"number", message.number}, {"pid", message.pid}});
}

Frame encode(const OutputMessage& message) {
  return make_frame(FrameType::output, {{"number", message.number},
                                        {"is_error", message.stream == OutputStream::err},
                                        {"bytes", to_binary(message.bytes)}});
}

Frame encode(const StopMessage& message) {
  return make_frame(
      FrameType::stop,
      {{"number", message.number}, {"signal", message.signal}, {"grace", of(message.grace)}});
}

Frame encode(const DoneMessage& message) {
  json payload = std::visit(OutcomeToJson{}, message.outcome);
  payload["number"] = message.number;
  payload["keeps_processes"] = message.keeps_processes;
  return make_frame(FrameType::done, payload);
}

Frame encode(const ByeMessage& /*message*/) {
  return {FrameType::bye, {}};
}

template <>
HelloMessage decode(const Frame& frame) {
  return read_frame(frame, FrameType::hello, [](const json& payload) -> HelloMessage {
    return {.build_id = payload.at("build_id"), .pid = payload.at("pid")};
  });
}

template <>
SetupMessage decode(const Frame& frame) {
  return read_frame(frame, FrameType::setup, [](const json& payload) -> SetupMessage {
    return {.initializer = payload.at("initializer"),
            .grace = to_duration(payload.at("grace")),
            .owns_orphans = payload.at("owns_orphans"),
            .claims_strays = payload.at("claims_strays")};
  });
}

template <>
UnreadyMessage decode(const Frame& frame) {
  return read_frame(frame, FrameType::unready, [](const json& payload) -> UnreadyMessage {
    return {.thrown = to_thrown(payload.at("thrown")), .lack = payload.at("lack")};
  });
}

template <>
TaskMessage decode(const Frame& frame) {
  return read_frame(frame, FrameType::task, [](const json& payload) -> TaskMessage {
    const std::uint64_t number = payload.at("number");
    auto identity = to_identity(payload.at("identity"));
    TaskMessage message{number, std::move(identity), CallMessage{}, payload.at("tells_spawn"),
                        payload.at("tells_output")};
    if (payload.contains("call")) {
      message.body = to_call(payload["call"]);
    } else {
      message.body = to_command(payload.at("command"));
    }
    return message;
  });
}

template <>
StartedMessage decode(const Frame& frame) {
  return read_frame(frame, FrameType::started, [](const json& payload) -> StartedMessage {
    return {.number = payload.at("number")};
  });
}

template <>
SpawnedMessage decode(const Frame& frame) {
  return read_frame(frame, FrameType::spawned, [](const json& payload) -> SpawnedMessage {
    return {.number = payload.at("number"), .pid = payload.at("pid")};
  });
}

template <>
OutputMessage decode(const Frame& frame) {
  return read_frame(frame, FrameType::output, [](const json& payload) -> OutputMessage {
    return {.number = payload.at("number"),
            .stream = payload.at("is_error") ? OutputStream::err : OutputStream::out,
            .bytes = from_binary(payload.at("bytes"))};
  });
}

template <>
StopMessage decode(const Frame& frame) {
  return read_frame(frame, FrameType::stop, [](const json& payload) -> StopMessage {
    return {.number = payload.at("number"),
            .signal = payload.at("signal"),
            .grace = to_duration(payload.at("grace"))};
  });
}

template <>
DoneMessage decode(const Frame& frame) {
  return read_frame(frame, FrameType::done, [](const json& payload) -> DoneMessage {
    DoneMessage message;
    message.number = payload.at("number");
    message.keeps_processes = payload.at("keeps_processes");
    if (payload.contains("value")) {
      message.outcome = from_binary(payload["value"]);
    } else if (payload.contains("thrown")) {
      message.outcome = to_thrown(payload["thrown"]);
    } else if (payload.contains("cause")) {
      message.outcome = CommandFailure{.message = payload.at("message"),
                                       .cause = to_cause(payload["cause"]),
                                       .output = to_output(payload.at("output"))};
    } else {
      message.outcome = to_output(payload.at("output"));
    }
    return message;
  });
}

}  // namespace osiiso::queue
