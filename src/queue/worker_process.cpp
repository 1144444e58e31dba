// SPDX-License-Identifier: MIT
#include "queue/worker_process.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/format.hpp"
#include "base/poll.hpp"
#include "base/text.hpp"
#include "queue/worker_messages.hpp"

namespace osiiso::queue {
namespace {

std::atomic<const char*> noted_program = nullptr;

/// A standard stream of ours, or where the host closed it, nothing to write to.
class OutputStream {
 public:
  explicit OutputStream(int number) : number_(number) {
    if (::fcntl(number, F_GETFD) >= 0) return;
    null_ = base::Descriptor(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    number_ = null_.get();
  }
  int get() const { return number_; }

 private:
  int number_;
  base::Descriptor null_;
};

process::Child spawn_worker(int socket) {
  const std::string mark = std::string(kWorkerMark) + "fd:0";
  const char* const program = noted_program.load();
  process::SpawnRequest request;
  request.name = "worker process";
  // Even where the file was replaced since, this is what we are an execution of.
  request.paths = {"/proc/self/exe"};
  request.argv = {program, mark.c_str()};
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) request.envp.push_back(*at);
  request.stdin_fd = socket;
  const OutputStream out(STDOUT_FILENO);
  const OutputStream err(STDERR_FILENO);
  return process::spawn(request, out.get(), err.get());
}

/// Of a process that has ended; leaves it a zombie.
siginfo_t status_of(int pidfd) {
  siginfo_t status{};
  while (::waitid(P_PIDFD, static_cast<id_t>(pidfd), &status, WEXITED | WNOWAIT) != 0) {
    if (errno != EINTR) return {};  // the host took the status
  }
  return status;
}

}  // namespace

WorkerProcess::WorkerProcess() : WorkerProcess(make_sockets()) {}

WorkerProcess::WorkerProcess(Ends ends)
    : stop_event_(base::make_eventfd()),
      link_(std::move(ends.ours)),
      child_(spawn_worker(ends.theirs.get())) {}

WorkerProcess::~WorkerProcess() {
  // The group, too, and before the reaping: until then its number means nobody else.
  kill();
  process::reap(child_);
}

WorkerProcess::Ends WorkerProcess::make_sockets() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw SystemError("cannot make a socket pair", errno);
  }
  return {base::Descriptor(ends[0]), base::Descriptor(ends[1])};
}

bool WorkerProcess::has_ended() const {
  pollfd waited{child_.pidfd.get(), POLLIN, 0};
  return ::poll(&waited, 1, 0) > 0;
}

void WorkerProcess::kill() const {
  ::kill(-child_.pid, SIGKILL);
}

std::string WorkerProcess::death() const {
  const siginfo_t status = status_of(child_.pidfd.get());
  switch (status.si_code) {
    case CLD_EXITED:
      return base::format("worker process died (exit code {})", status.si_status);
    case CLD_KILLED:
    case CLD_DUMPED:
      return base::format("worker process died ({})", base::signal_name(status.si_status));
    default:
      return "worker process died (its exit status was lost)";
  }
}

void WorkerProcess::dismiss(Duration patience) {
  const auto deadline = base::saturating_add(base::now(), patience);
  link_.send(encode(ByeMessage{}));
  while (!has_ended() && base::now() < deadline) {
    std::array<pollfd, 2> waited{
        {{child_.pidfd.get(), POLLIN, 0}, {link_.descriptor(), link_.events(), 0}}};
    base::poll_until(waited, deadline);
    if (waited[1].revents != 0) link_.transfer();
  }
}

void note_main(const char* program) {
  noted_program = program;
}

bool main_is_noted() {
  return noted_program != nullptr;
}

}  // namespace osiiso::queue
