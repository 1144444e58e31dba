// SPDX-License-Identifier: MIT
// Prints what is not as a fresh process has it: blocked signals, dispositions that are not the
// default, no session or group of its own.
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>

int main() {
  // By the bare system calls: the C library hides two signals.
  struct {
    std::uintptr_t handler;
    unsigned long flags;
    std::uintptr_t restorer;
    std::uint64_t mask;
  } action;
  for (int signal = 1; signal <= 64; ++signal) {
    ::syscall(SYS_rt_sigaction, signal, nullptr, &action, sizeof(std::uint64_t));
    if (action.handler != 0) std::printf("disposition of %d\n", signal);
  }
  std::uint64_t blocked = 0;
  ::syscall(SYS_rt_sigprocmask, 0, nullptr, &blocked, sizeof blocked);
  if (blocked != 0) std::printf("blocked %llx\n", static_cast<unsigned long long>(blocked));
  if (::getsid(0) != ::getpid()) std::puts("not the leader of its session");
  if (::getpgid(0) != ::getpid()) std::puts("not the leader of its group");
}
