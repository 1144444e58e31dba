// SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <csignal>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <variant>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "osiiso/process_queue.hpp"

#include "queue/image.hpp"
#include "queue/worker_frame.hpp"
#include "queue/worker_link.hpp"
#include "queue/worker_messages.hpp"
#include "support/process_guard.hpp"
#include "support/program.hpp"

using namespace osiiso::queue;  // NOLINT(google-build-using-namespace)
using nlohmann::json;
using osiiso::Command;
using osiiso::test::ProcessGuard;

namespace {

Bytes bytes_of(const Frame& frame) {
  Bytes bytes;
  append_frame(bytes, frame);
  return bytes;
}

osiiso::TaskContext::Identity identity() {
  osiiso::TaskContext::Identity made;
  made.name = "over there";
  made.attempt = 2;
  return made;
}

TaskMessage call_of(std::uint64_t number, const osiiso::RemoteCall& call) {
  return {number, identity(),
          CallMessage{call.entry_offset(), call.function_offset(), call.arguments()}};
}

/// A queue's end of a TCP connection that a worker makes.
class Listener {
 public:
  Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const general = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(socket_.get(), general, sizeof address) == 0);
    REQUIRE(::listen(socket_.get(), 1) == 0);
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(socket_.get(), general, &size) == 0);
    port_ = ntohs(address.sin_port);
  }

  int port() const { return port_; }
  WorkerLink accept() const {
    return WorkerLink(
        osiiso::base::Descriptor(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
  }

 private:
  osiiso::base::Descriptor socket_;
  int port_ = 0;
};

Frame next_frame(WorkerLink& link) {
  for (;;) {
    if (auto frame = link.next()) return std::move(*frame);
    REQUIRE_FALSE(link.closed());
    pollfd waited{link.descriptor(), link.events(), 0};
    REQUIRE(::poll(&waited, 1, 30'000) > 0);
    link.transfer();
  }
}

}  // namespace

TEST_CASE("frames are found in pieces of any size") {
  Bytes bytes = bytes_of(encode(StartedMessage{1}));
  append_frame(bytes, encode(ByeMessage{}));
  append_frame(bytes, encode(StopMessage{7, SIGTERM, osiiso::Duration(5)}));
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    FrameReader reader;
    std::vector<Frame> found;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      reader.add(std::span(bytes).subspan(at, std::min(step, bytes.size() - at)));
      while (auto frame = reader.next()) found.push_back(std::move(*frame));
    }
    REQUIRE(found.size() == 3);
    CHECK(decode<StartedMessage>(found[0]).number == 1);
    CHECK(found[1].type == FrameType::bye);
    CHECK(decode<StopMessage>(found[2]).signal == SIGTERM);
  }
}

TEST_CASE("frames that come without a pause fill no memory") {
  constexpr std::size_t kPiece = 1000;
  const Bytes frame = bytes_of(encode(OutputMessage{1, osiiso::OutputStream::out, "some output"}));
  FrameReader reader;
  std::size_t found = 0;
  Bytes unsent;
  for (std::size_t sent = 0; sent < 500; ++sent) {
    while (unsent.size() < kPiece) unsent.insert(unsent.end(), frame.begin(), frame.end());
    reader.add(std::span(unsent).first(kPiece));
    unsent.erase(unsent.begin(), unsent.begin() + kPiece);
    while (reader.next()) ++found;
    CHECK(reader.size() < kPiece + frame.size());
  }
  CHECK(found == 500 * kPiece / frame.size());
}

TEST_CASE("a truncated frame is no frame yet") {
  const Bytes bytes = bytes_of(encode(HelloMessage{"id", 1}));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    FrameReader reader;
    reader.add(std::span(bytes).first(size));
    CHECK_FALSE(reader.next());
  }
}

TEST_CASE("what cannot be a frame is refused by its header") {
  const auto refused = [](Bytes bytes, const char* text) {
    FrameReader reader;
    reader.add(bytes);
    CHECK_THROWS_WITH_AS(reader.next(), text, ProtocolError);
  };
  refused({0, 0, 0, 0, 2, 1, 0, 0}, "the worker protocol has version 1, not 2");
  refused({0, 0, 0, 0, 1, 99, 0, 0}, "the worker protocol has no frame of type 99");
  refused({0, 0, 0, 0, 1, 0, 0, 0}, "the worker protocol has no frame of type 0");
  refused({1, 0, 0, 16, 1, 1, 0, 0}, "a frame of the worker protocol is broken (size 268435457)");
  refused({0, 0, 0, 0, 1, 1, 0, 1}, "a frame of the worker protocol is broken (size 0)");
}

TEST_CASE("a payload that is too large is refused before it is sent") {
  Bytes bytes;
  CHECK_THROWS_WITH_AS(
      append_frame(bytes, {FrameType::task, Bytes(kLargestPayload + 1)}),
      "268435457 bytes are too many to cross between processes, 268435456 are the most",
      ProtocolError);
  CHECK(bytes.empty());
}

TEST_CASE("whatever is in a frame, it is read or refused with a ProtocolError") {
  std::mt19937 random(1);  // NOLINT(cert-msc*): the same bytes each time
  auto settings = std::make_shared<osiiso::CommandSettings>();
  settings->env = {{"A", "b"}, {"C", std::nullopt}};
  auto command = Command::argv({"a", "b c"}, settings);
  command.with_variable("X", "y");
  const std::vector<Frame> whole = {
      encode(TaskMessage{1, identity(), command}),
      encode(TaskMessage{2, {}, CallMessage{1, 2, {1, 2, 3}}}),
      encode(DoneMessage{3, false, CommandFailure{"m", osiiso::Cause::exit, {}}}),
      encode(DoneMessage{4, false, ThrownMessage{"t", "w"}}),
      encode(SetupMessage{1, osiiso::Duration(3)}),
      encode(OutputMessage{5, osiiso::OutputStream::err, std::string("\1\0\xff", 3)}),
  };
  for (int round = 0; round < 5'000; ++round) {
    Frame frame = whole[random() % whole.size()];
    if (random() % 4 == 0) frame.payload.resize(random() % (frame.payload.size() + 1));
    for (unsigned n = random() % 4; n > 0 && !frame.payload.empty(); --n) {
      frame.payload[random() % frame.payload.size()] = static_cast<std::uint8_t>(random());
    }
    const auto read = [&](auto decode_it) {
      try {
        decode_it();
      } catch (const ProtocolError&) {
        return;
      }
    };
    read([&] { decode<TaskMessage>(frame); });
    read([&] { decode<DoneMessage>(frame); });
    read([&] { decode<SetupMessage>(frame); });
    read([&] { decode<OutputMessage>(frame); });
  }
}

TEST_CASE("what is nested too deeply is refused before anything recurses") {
  constexpr std::size_t kDeep = 1'000'000;
  const std::vector<Bytes> hostile = {
      Bytes(kDeep, 0x81),  // arrays of one
      Bytes(kDeep, 0x9f),  // arrays without a length
      Bytes(kDeep, 0xbf),  // maps without a length
  };
  for (const Bytes& payload : hostile) {
    CHECK_THROWS_WITH_AS(osiiso::detail::read_cbor(payload),
                         doctest::Contains("a value is nested deeper than 1000 levels"),
                         osiiso::Error);
  }
  const auto nested = [](std::size_t levels) {
    json value = json::array();
    for (std::size_t i = 1; i < levels; ++i) value = json::array({std::move(value), {{"k", "v"}}});
    return json::to_cbor(value);
  };
  CHECK_THROWS_AS(osiiso::detail::read_cbor(nested(1001)), osiiso::Error);
  CHECK(osiiso::detail::read_cbor(nested(1000)) == json::from_cbor(nested(1000)));
  // Many side by side are no depth.
  CHECK(osiiso::detail::read_cbor(json::to_cbor(json(10'000, json::array({{}})))).size() == 10'000);
}

TEST_CASE("a command crosses as it is") {
  auto settings = std::make_shared<osiiso::CommandSettings>();
  settings->env = {{"A", "b"}, {"C", std::nullopt}};
  settings->cwd = "/tmp";
  settings->stdin_text = "\xff\n";
  settings->ok_codes = {0, 7};
  settings->leak = osiiso::Leak::fail;
  auto command = Command::argv({"a", "", "b c"}, settings);
  command.with_variable("X", "y=z");
  const auto read = decode<TaskMessage>(encode(TaskMessage{9, identity(), command}));
  const auto& crossed = std::get<Command>(read.body);
  CHECK(read.identity.attempt == 2);
  CHECK(crossed.words() == command.words());
  CHECK(crossed.variables() == command.variables());
  CHECK(crossed.settings().env == settings->env);
  CHECK(crossed.settings().cwd == "/tmp");
  CHECK(crossed.settings().stdin_text == "\xff\n");
  CHECK(crossed.settings().ok_codes == settings->ok_codes);
  CHECK(crossed.settings().leak == osiiso::Leak::fail);
}

TEST_CASE("a worker can connect back over TCP") {
  const ProcessGuard guard;
  const Listener listener;
  osiiso::test::RunningProgram program(
      {.arguments = {"/proc/self/exe",
                     "--osiiso-worker=tcp:127.0.0.1:" + std::to_string(listener.port())}});
  auto link = listener.accept();
  CHECK(decode<HelloMessage>(next_frame(link)).build_id == build_id());
  link.send(encode(SetupMessage{}));
  CHECK(next_frame(link).type == FrameType::ready);

  const auto sum = osiiso::remote_call([](int a, int b) { return a + b; }, 40, 2);
  link.send(encode(call_of(1, sum)));
  CHECK(decode<StartedMessage>(next_frame(link)).number == 1);
  const auto done = decode<DoneMessage>(next_frame(link));
  CHECK(std::any_cast<int>(sum.read_value(std::get<Bytes>(done.outcome))) == 42);

  // A stop request reaches a task that runs.
  const auto waits = osiiso::remote_call([](std::stop_token stop) {
    while (!stop.stop_requested()) ::usleep(1000);
  });
  link.send(encode(call_of(2, waits)));
  CHECK(decode<StartedMessage>(next_frame(link)).number == 2);
  link.send(encode(StopMessage{2, SIGTERM, osiiso::Duration(0)}));
  CHECK(decode<DoneMessage>(next_frame(link)).number == 2);

  link.send(encode(ByeMessage{}));
  CHECK(program.wait().exit_code == 0);
}

TEST_CASE("a place outside the code is an error of the task, not a crash") {
  CHECK_THROWS_AS(image_address(~std::uint64_t{0} / 2), osiiso::Error);
  CHECK_FALSE(build_id().empty());
}
