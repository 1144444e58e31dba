// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "osiiso/process_queue.hpp"

#include "base/format.hpp"
#include "queue/worker.hpp"
#include "queue/worker_process.hpp"

namespace osiiso {
namespace {

// Nobody sees this exit code but a queue that speaks another protocol.
constexpr int kBrokenConnection = 70;

/// The socket is moved out of the way of functions that use the standard input.
base::Descriptor take_descriptor(int number) {
  base::Descriptor socket(::fcntl(number, F_DUPFD_CLOEXEC, 3));
  if (!socket) throw SystemError("cannot use the socket of the worker process", errno);
  const base::Descriptor null = base::open_for_reading("/dev/null");
  if (number != STDIN_FILENO) {
    ::close(number);
  } else if (::dup2(null.get(), STDIN_FILENO) < 0) {
    throw SystemError("cannot replace the standard input", errno);
  }
  return socket;
}

base::Descriptor connect_to(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0) {
    throw Error(base::format("cannot find '{}': {}", host, ::gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  int error_number = 0;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    base::Descriptor socket(
        ::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol));
    if (socket && ::connect(socket.get(), at->ai_addr, at->ai_addrlen) == 0) return socket;
    error_number = errno;
  }
  throw SystemError(base::format("cannot connect to {}:{}", host, port), error_number);
}

/// `fd:0`, or `tcp:host:port` for a worker that connects back.
base::Descriptor open_connection(std::string_view where) {
  const std::size_t colon = where.rfind(':');
  if (where == "fd:0") return take_descriptor(STDIN_FILENO);
  if (!where.starts_with("tcp:") || colon < 4)
    throw Error("a worker process needs fd:0 or tcp:HOST:PORT");
  return connect_to(std::string(where.substr(4, colon - 4)), std::string(where.substr(colon + 1)));
}

}  // namespace

std::optional<int> worker_main(int argc, char** argv) {
  const std::string_view mark = queue::kWorkerMark;
  queue::note_main(argc > 0 ? argv[0] : "osiiso-worker");
  if (argc != 2 || !std::string_view(argv[1]).starts_with(mark)) return {};
  try {
    const auto where = std::string_view(argv[1]).substr(mark.size());
    queue::Worker worker(open_connection(where), where == "fd:0");
    return worker.serve();
  } catch (const Error&) {
    return kBrokenConnection;
  }
}

}  // namespace osiiso
