// SPDX-License-Identifier: MIT
#include "queue/worker_messages.hpp"

#include <concepts>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/format.hpp"

namespace osiiso::queue {
namespace {

// The fields of each, in the order in which they travel: for writing and for reading.

template <typename T, typename Plain>
concept Is = std::same_as<std::remove_const_t<T>, Plain>;

auto fields_of(Is<HelloMessage> auto& hello) {
  return std::tie(hello.build_id, hello.pid);
}

auto fields_of(Is<SetupMessage> auto& setup) {
  return std::tie(setup.initializer, setup.grace, setup.owns_orphans, setup.claims_strays,
                  setup.needs_listener);
}

auto fields_of(Is<ThrownMessage> auto& thrown) {
  return std::tie(thrown.type_name, thrown.what);
}

auto fields_of(Is<UnreadyMessage> auto& unready) {
  return std::tie(unready.thrown, unready.lack);
}

auto fields_of(Is<TaskContext::Identity> auto& identity) {
  return std::tie(identity.run_id, identity.task_id, identity.name, identity.group_id,
                  identity.attempt, identity.max_attempts, identity.worker, identity.grace);
}

auto fields_of(Is<CallMessage> auto& call) {
  return std::tie(call.entry, call.function, call.arguments);
}

auto fields_of(Is<CommandSettings> auto& settings) {
  return std::tie(settings.env, settings.cwd, settings.stdin_text, settings.stdin_file,
                  settings.shell, settings.ok_codes, settings.leak);
}

auto fields_of(Is<TaskMessage> auto& task) {
  return std::tie(task.number, task.identity, task.tells_spawn, task.tells_output, task.body);
}

auto fields_of(Is<StartedMessage> auto& started) {
  return std::tie(started.number);
}

auto fields_of(Is<SpawnedMessage> auto& spawned) {
  return std::tie(spawned.number, spawned.pid);
}

auto fields_of(Is<OutputMessage> auto& output) {
  return std::tie(output.number, output.stream, output.text);
}

auto fields_of(Is<StopMessage> auto& stop) {
  return std::tie(stop.number, stop.signal, stop.grace);
}

auto fields_of(Is<LeakedProcess> auto& leaked) {
  return std::tie(leaked.pid, leaked.command, leaked.age);
}

auto fields_of(Is<CommandOutput> auto& output) {
  return std::tie(output.exit_code, output.signal, output.core_dumped, output.stdout_text,
                  output.stderr_text, output.stdout_bytes, output.stderr_bytes, output.truncated,
                  output.cpu_user, output.cpu_system, output.max_rss, output.leaked);
}

auto fields_of(Is<CommandFailure> auto& failure) {
  return std::tie(failure.message, failure.cause, failure.output);
}

auto fields_of(Is<DoneMessage> auto& done) {
  return std::tie(done.number, done.keeps_processes, done.outcome);
}

template <typename T>
concept HasFields = requires(T& value) {
  fields_of(value);
};

template <typename T>
concept Enum = std::is_enum_v<T>;

template <Enum E>
constexpr E kLast = {};
template <>
constexpr Leak kLast<Leak> = Leak::keep;
template <>
constexpr Cause kLast<Cause> = Cause::error;
template <>
constexpr OutputStream kLast<OutputStream> = OutputStream::err;

constexpr std::size_t kNumberSize = 8;

/// Numbers are eight bytes, little-endian. In front of what has a length stands the length, in
/// front of what may be missing whether it is there, in front of alternatives which it is.
class Writer {
 public:
  Bytes take() { return std::move(bytes_); }

  template <HasFields T>
  void write(const T& value) {
    std::apply([this](const auto&... fields) { (this->write(fields), ...); }, fields_of(value));
  }

  void write(bool value) { bytes_.push_back(value ? 1 : 0); }
  template <std::integral Number>
  void write(Number value) {
    auto bits = static_cast<std::uint64_t>(value);
    for (std::size_t i = 0; i < kNumberSize; ++i, bits >>= 8U) {
      bytes_.push_back(static_cast<std::uint8_t>(bits));
    }
  }
  template <Enum E>
  void write(E value) {
    write(static_cast<std::int64_t>(value));
  }
  void write(Duration span) { write(span.count()); }

  void write(const std::string& text) {
    // Characters one by one would take ten times as long.
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): characters are bytes
    write_block({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }
  void write(const Bytes& bytes) { write_block(bytes); }
  template <typename T>
  void write(const std::optional<T>& value) {
    write(value.has_value());
    if (value) write(*value);
  }
  template <typename T>
  void write(const std::vector<T>& values) {
    write(values.size());
    for (const auto& value : values) write(value);
  }
  template <typename T>
  void write(const std::map<std::string, T>& values) {
    write(values.size());
    for (const auto& [name, value] : values) {
      write(name);
      write(value);
    }
  }
  template <typename... Ts>
  void write(const std::variant<Ts...>& value) {
    write(value.index());
    std::visit([this](const auto& chosen) { this->write(chosen); }, value);
  }
  void write(const Command& command) {
    write(command.is_shell());
    write(command.words());
    write(std::string(command.variables()));
    write(command.settings());
  }

 private:
  void write_block(std::span<const std::uint8_t> block) {
    write(block.size());
    bytes_.insert(bytes_.end(), block.begin(), block.end());
  }

  Bytes bytes_;
};

/// Reads what a `Writer` wrote. Throws `ProtocolError` where it cannot have been one.
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> bytes) : rest_(bytes) {}

  template <typename T>
  T take() {
    if constexpr (std::same_as<T, Command>) {
      return take_command();
    } else {
      T value{};
      read(value);
      return value;
    }
  }

  void end() const {
    if (!rest_.empty()) throw ProtocolError(base::format("{} bytes are too many", rest_.size()));
  }

 private:
  template <HasFields T>
  void read(T& value) {
    std::apply([this](auto&... fields) { (this->read(fields), ...); }, fields_of(value));
  }

  void read(bool& value) {
    const auto byte = take_bytes(1).front();
    if (byte > 1) throw ProtocolError(base::format("{} is neither true nor false", byte));
    value = byte == 1;
  }
  template <std::integral Number>
  void read(Number& value) {
    std::uint64_t bits = 0;
    const auto bytes = take_bytes(kNumberSize);
    for (std::size_t i = kNumberSize; i-- > 0;) bits = (bits << 8U) | bytes[i];
    using Wide = std::conditional_t<std::signed_integral<Number>, std::int64_t, std::uint64_t>;
    const auto wide = static_cast<Wide>(bits);
    if (!std::in_range<Number>(wide)) throw ProtocolError(base::format("{} is too large", wide));
    value = static_cast<Number>(wide);
  }
  template <Enum E>
  void read(E& value) {
    const auto number = take<std::int64_t>();
    if (number < 0 || number > static_cast<std::int64_t>(kLast<E>)) {
      throw ProtocolError(base::format("{} stands for nothing", number));
    }
    value = static_cast<E>(number);
  }
  void read(Duration& span) { span = Duration(take<Duration::rep>()); }

  void read(std::string& text) {
    const auto bytes = take_bytes(take_count());
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are characters
    text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void read(Bytes& block) {
    const auto bytes = take_bytes(take_count());
    block.assign(bytes.begin(), bytes.end());
  }
  template <typename T>
  void read(std::optional<T>& value) {
    if (take<bool>()) value = take<T>();
  }
  template <typename T>
  void read(std::vector<T>& values) {
    values.clear();
    for (auto left = take_count(); left > 0; --left) values.push_back(take<T>());
  }
  template <typename T>
  void read(std::map<std::string, T>& values) {
    for (auto left = take_count(); left > 0; --left) {
      auto name = take<std::string>();
      values[std::move(name)] = take<T>();
    }
  }
  template <typename... Ts>
  void read(std::variant<Ts...>& value) {
    const auto index = take<std::size_t>();
    std::size_t at = 0;
    if (!((at++ == index && (value = take<Ts>(), true)) || ...)) {
      throw ProtocolError(base::format("there is no alternative {}", index));
    }
  }

  Command take_command() {
    const bool is_shell = take<bool>();
    const auto words = take<std::vector<std::string>>();
    const auto variables = take<std::string>();
    auto settings = std::make_shared<const CommandSettings>(take<CommandSettings>());
    if (is_shell && words.size() != 1) throw ProtocolError("a shell command is one text");
    auto command = is_shell ? Command::shell(words.front(), std::move(settings))
                            : Command::argv(words, std::move(settings));
    add_variables(command, variables);
    return command;
  }

  static void add_variables(Command& command, std::string_view variables) {
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

  /// Of bytes or of what takes one at least.
  std::size_t take_count() {
    const auto count = take<std::uint64_t>();
    if (count > rest_.size()) throw ProtocolError(base::format("{} are too many", count));
    return static_cast<std::size_t>(count);
  }

  std::span<const std::uint8_t> take_bytes(std::size_t count) {
    if (count > rest_.size()) throw ProtocolError("it is cut short");
    const auto taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

  std::span<const std::uint8_t> rest_;
};

template <typename Message>
Frame write_frame(FrameType type, const Message& message) {
  Writer writer;
  writer.write(message);
  return {type, writer.take()};
}

template <typename Message>
Message read_frame(const Frame& frame, FrameType type) {
  if (frame.type != type) {
    throw ProtocolError(base::format("a frame of type {} came where one of type {} was due",
                                     static_cast<int>(frame.type), static_cast<int>(type)));
  }
  try {
    Reader reader(frame.payload);
    auto message = reader.take<Message>();
    reader.end();
    return message;
  } catch (const Error& error) {
    throw ProtocolError(
        base::format("a frame of type {} is broken: {}", static_cast<int>(type), error.what()));
  }
}

}  // namespace

Frame encode(const HelloMessage& message) {
  return write_frame(FrameType::hello, message);
}

Frame encode(const SetupMessage& message) {
  return write_frame(FrameType::setup, message);
}

Frame encode(const ReadyMessage& /*message*/) {
  return {FrameType::ready, {}};
}

Frame encode(const UnreadyMessage& message) {
  return write_frame(FrameType::unready, message);
}

Frame encode(const TaskMessage& message) {
  return write_frame(FrameType::task, message);
}

Frame encode(const StartedMessage& message) {
  return write_frame(FrameType::started, message);
}

Frame encode(const SpawnedMessage& message) {
  return write_frame(FrameType::spawned, message);
}

Frame encode(const OutputMessage& message) {
  return write_frame(FrameType::output, message);
}

Frame encode(const StopMessage& message) {
  return write_frame(FrameType::stop, message);
}

Frame encode(const DoneMessage& message) {
  return write_frame(FrameType::done, message);
}

Frame encode(const ByeMessage& /*message*/) {
  return {FrameType::bye, {}};
}

template <>
HelloMessage decode(const Frame& frame) {
  return read_frame<HelloMessage>(frame, FrameType::hello);
}

template <>
SetupMessage decode(const Frame& frame) {
  return read_frame<SetupMessage>(frame, FrameType::setup);
}

template <>
UnreadyMessage decode(const Frame& frame) {
  return read_frame<UnreadyMessage>(frame, FrameType::unready);
}

template <>
TaskMessage decode(const Frame& frame) {
  return read_frame<TaskMessage>(frame, FrameType::task);
}

template <>
StartedMessage decode(const Frame& frame) {
  return read_frame<StartedMessage>(frame, FrameType::started);
}

template <>
SpawnedMessage decode(const Frame& frame) {
  return read_frame<SpawnedMessage>(frame, FrameType::spawned);
}

template <>
OutputMessage decode(const Frame& frame) {
  return read_frame<OutputMessage>(frame, FrameType::output);
}

template <>
StopMessage decode(const Frame& frame) {
  return read_frame<StopMessage>(frame, FrameType::stop);
}

template <>
DoneMessage decode(const Frame& frame) {
  return read_frame<DoneMessage>(frame, FrameType::done);
}

}  // namespace osiiso::queue
