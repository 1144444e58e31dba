// SPDX-License-Identifier: MIT
#include "bench/bare_loops.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
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

}  // namespace

std::vector<BareLoop> bare_loops() {
  return {{"vfork, two children", two_children},
          {"posix_spawn, two threads", captured_on_threads<2>},
          {"posix_spawn, three threads", captured_on_threads<3>}};
}

BareLoop session_loop() {
  return {"posix_spawn, two threads, sessions", captured_on_threads<2, POSIX_SPAWN_SETSID>};
}

}  // namespace bench
