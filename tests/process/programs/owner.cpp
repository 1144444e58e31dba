// SPDX-License-Identifier: MIT
// owner [watch|apart] ACT...: calls own_process(), where it is to be apart leave_process_group(),
// and acts:
//   exit CODE          exits
//   die SIGNAL         dies of the signal
//   hear               prints the numbers of the signals that it gets, until SIGTERM
//   start COMMAND      starts a shell command, then waits for ever
//   allocate COMMAND   the same, while other threads allocate without a pause
//   leave COMMAND      the same, but exits with 5 when the command's shell has ended
//   suspend COMMAND    the same, and suspends everything on each SIGTSTP until SIGTERM; then prints
//                      how many seconds passed on the clock of the library
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "osiiso/own_process.hpp"

#include "base/clock.hpp"

namespace {

pid_t start(const char* command) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execl("/bin/sh", "sh", "-c", command, nullptr);
    ::_exit(127);
  }
  return pid;
}

sigset_t heard() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGTSTP}) {
    ::sigaddset(&set, signal);
  }
  return set;
}

int wait_for_signal(const sigset_t& set) {
  int signal = 0;
  ::sigwait(&set, &signal);
  return signal;
}

/// More than a cache of the thread's own holds, so that a lock of the allocator is held all the
/// time.
void allocate_for_ever() {
  for (std::size_t size = 16;; size = size < 100'000 ? 2 * size : 16) {
    std::vector<std::unique_ptr<char[]>> pieces;
    for (int piece = 0; piece < 100; ++piece) pieces.emplace_back(new char[size]);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool watch = argc > 1 && std::string(argv[1]) == "watch";
  const bool apart = argc > 1 && std::string(argv[1]) == "apart";
  char** const words = argv + (watch || apart ? 2 : 1);
  const std::string act = words[0];
  const auto set = heard();
  if (act == "hear" || act == "suspend") ::sigprocmask(SIG_BLOCK, &set, nullptr);
  osiiso::own_process({.watch_parent = watch});
  if (apart) osiiso::leave_process_group();

  if (act == "exit") return std::atoi(words[1]);
  if (act == "die") {
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    std::signal(std::atoi(words[1]), SIG_DFL);
    std::raise(std::atoi(words[1]));
  }
  if (act == "hear") {
    std::printf("ready\n");
    for (int signal = 0; signal != SIGTERM;) {
      std::fflush(stdout);
      signal = wait_for_signal(set);
      std::printf("%d\n", signal);
    }
    return 0;
  }
  const auto begin = osiiso::base::now();
  for (int thread = 0; act == "allocate" && thread < 4; ++thread) {
    std::thread(allocate_for_ever).detach();
  }
  const pid_t shell = start(words[1]);
  if (act == "leave") {
    ::waitpid(shell, nullptr, 0);
    return 5;
  }
  while (act == "suspend" && wait_for_signal(set) == SIGTSTP) osiiso::suspend();
  if (act != "suspend") {
    for (;;) ::pause();
  }
  const std::chrono::duration<double> passed = osiiso::base::now() - begin;
  std::printf("%.3f\n", passed.count());
}
