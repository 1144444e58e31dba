// SPDX-License-Identifier: MIT
#include "bench/bare_loops.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <thread>

extern char** environ;

namespace bench {
namespace {

/// The words of a command whose last one is a number.
class Words {
 public:
  explicit Words(const std::vector<std::string>& command) : texts_(command) {
    texts_.emplace_back();
    pointers_.resize(texts_.size() + 1);
  }
  char* const* with(std::size_t number) {
    texts_.back() = std::to_string(number);
    for (std::size_t i = 0; i < texts_.size(); ++i) pointers_[i] = texts_[i].data();
    return pointers_.data();
  }

 private:
  std::vector<std::string> texts_;
  std::vector<char*> pointers_;
};

// The child must not write where the parent's variables are.
[[gnu::noinline]] void start_with_vfork(char* const* words) {
  const pid_t child = vfork();
  if (child == 0) {
    execve(words[0], words, environ);
    _exit(127);
  }
  if (child < 0) std::abort();
}

void two_children(const std::vector<std::string>& command, std::size_t tasks) {
  Words words(command);
  std::size_t running = 0;
  for (std::size_t number = 0; number < tasks || running > 0;) {
    if (number < tasks && running < 2) {
      start_with_vfork(words.with(number++));
      ++running;
      continue;
    }
    int status = 0;
    if (wait(&status) < 0 || status != 0) std::abort();
    --running;
  }
}

/// `flags`: what the child is besides, see posix_spawnattr_setflags(3).
void run_captured(char* const* words, short flags) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, flags);
  pid_t child = -1;
  if (posix_spawn(&child, words[0], &actions, &attributes, words, environ) != 0) std::abort();
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::array<char, 4096> text;
  while (read(ends[0], text.data(), text.size()) > 0) {
  }
  close(ends[0]);
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0) std::abort();
}

template <int kThreads, short kFlags = 0>
void captured_on_threads(const std::vector<std::string>& command, std::size_t tasks) {
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    Words words(command);
    for (std::size_t number = next++; number < tasks; number = next++) {
      run_captured(words.with(number), kFlags);
    }
  };
  std::array<std::thread, kThreads> threads;
  for (auto& thread : threads) thread = std::thread(work);
  for (auto& thread : threads) thread.join();
}

// One thread that waits for no start

/// A command that is being started, whose parent goes on: what it needs must stay.
struct Start {
  explicit Start(const std::vector<std::string>& command) : words(command) {}

  Words words;
  char* const* argv = nullptr;
  std::array<int, 2> ends{};
  int pidfd = -1;
  alignas(16) std::array<char, 16UL * 1024> stack{};
};

/// In the parent's memory.
int become_command(void* start_pointer) {
  const auto& start = *static_cast<const Start*>(start_pointer);
  setsid();
  dup2(start.ends[1], 1);
  execve(start.argv[0], start.argv, environ);
  _exit(127);
}

void begin(Start& start, std::size_t number, int events) {
  start.argv = start.words.with(number);
  if (pipe2(start.ends.data(), O_CLOEXEC) != 0) std::abort();
  char* const top = start.stack.data() + start.stack.size();
  if (clone(become_command, top, CLONE_VM | CLONE_PIDFD | SIGCHLD, &start, &start.pidfd) < 0) {
    std::abort();
  }
  close(start.ends[1]);
  epoll_event event{.events = EPOLLIN, .data = {.ptr = &start}};
  if (epoll_ctl(events, EPOLL_CTL_ADD, start.pidfd, &event) != 0) std::abort();
}

void end(Start& start, int events) {
  // Its end in a child that has not executed yet would keep it there.
  epoll_ctl(events, EPOLL_CTL_DEL, start.pidfd, nullptr);
  std::array<char, 4096> text;
  while (read(start.ends[0], text.data(), text.size()) > 0) {
  }
  close(start.ends[0]);
  siginfo_t status{};
  if (waitid(P_PIDFD, static_cast<id_t>(start.pidfd), &status, WEXITED) != 0) std::abort();
  if (status.si_code != CLD_EXITED || status.si_status != 0) std::abort();
  close(start.pidfd);
}

void started_by_one_thread(const std::vector<std::string>& command, std::size_t tasks) {
  const int events = epoll_create1(EPOLL_CLOEXEC);
  std::array<Start, 2> starts{Start(command), Start(command)};
  std::size_t next = 0;
  std::size_t running = 0;
  for (auto& start : starts) {
    if (next == tasks) break;
    begin(start, next++, events);
    ++running;
  }
  while (running > 0) {
    epoll_event event{};
    if (epoll_wait(events, &event, 1, -1) != 1) continue;
    auto& ended = *static_cast<Start*>(event.data.ptr);
    end(ended, events);
    next < tasks ? begin(ended, next++, events) : static_cast<void>(--running);
  }
  close(events);
}

// Two processes that are told what to start

[[noreturn]] void serve(int socket, const std::vector<std::string>& command) {
  Words words(command);
  for (std::size_t number = 0; read(socket, &number, sizeof number) == sizeof number;) {
    run_captured(words.with(number), POSIX_SPAWN_SETSID);
    if (write(socket, &number, sizeof number) != sizeof number) std::abort();
  }
  _exit(0);
}

void told_by_sockets(const std::vector<std::string>& command, std::size_t tasks) {
  std::array<pollfd, 2> workers{};
  for (auto& worker : workers) {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) std::abort();
    if (fork() == 0) {
      close(ends[0]);
      serve(ends[1], command);
    }
    close(ends[1]);
    worker = {.fd = ends[0], .events = POLLIN, .revents = 0};
  }
  std::size_t next = 0;
  std::size_t running = 0;
  const auto tell = [&](const pollfd& worker) {
    if (next == tasks) return;
    if (write(worker.fd, &next, sizeof next) != sizeof next) std::abort();
    ++next;
    ++running;
  };
  for (const auto& worker : workers) tell(worker);
  while (running > 0) {
    poll(workers.data(), workers.size(), -1);
    for (const auto& worker : workers) {
      if (worker.revents == 0) continue;
      std::size_t number = 0;
      if (read(worker.fd, &number, sizeof number) != sizeof number) std::abort();
      --running;
      tell(worker);
    }
  }
  for (const auto& worker : workers) close(worker.fd);
  while (wait(nullptr) > 0) {
  }
}

}  // namespace

std::vector<BareLoop> bare_loops() {
  return {{"vfork, two children", two_children},
          {"posix_spawn, two threads", captured_on_threads<2>},
          {"posix_spawn, three threads", captured_on_threads<3>}};
}

std::vector<BareLoop> floor_loops() {
  return {{"sessions, two threads", captured_on_threads<2, POSIX_SPAWN_SETSID>},
          {"sessions, two processes", told_by_sockets},
          {"sessions, one thread", started_by_one_thread}};
}

}  // namespace bench
