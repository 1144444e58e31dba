// SPDX-License-Identifier: MIT
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

// A child that runs in our memory does so on a stack that no sanitizer knows, and never returns
// from the functions that it is in: instrumentation would corrupt the records of the parent's
// thread. So these functions use no library type either, whose members would be instrumented.
#if defined(__clang__)
#define OSIISO_IN_CHILD __attribute__((disable_sanitizer_instrumentation, noinline))
#else
#define OSIISO_IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined"), noinline))
#endif

namespace osiiso::process {

/// A system call for a child that runs in our memory: it has the thread-local variables, so the
/// errno, of the thread that cloned it, and must leave them alone while that thread runs on.
/// Returns what the kernel does: a failure is the negative of its number.
#if defined(__x86_64__)
constexpr bool kCallsLeaveErrnoAlone = true;
OSIISO_IN_CHILD inline long raw_call(long number, long first = 0, long second = 0, long third = 0,
                                     long fourth = 0) {
  long result = 0;
  register long in_r10 __asm__("r10") = fourth;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(first), "S"(second), "d"(third), "r"(in_r10)
                   : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
constexpr bool kCallsLeaveErrnoAlone = true;
OSIISO_IN_CHILD inline long raw_call(long number, long first = 0, long second = 0, long third = 0,
                                     long fourth = 0) {
  register long in_x8 __asm__("x8") = number;
  register long in_x0 __asm__("x0") = first;
  register long in_x1 __asm__("x1") = second;
  register long in_x2 __asm__("x2") = third;
  register long in_x3 __asm__("x3") = fourth;
  __asm__ volatile("svc 0"
                   : "+r"(in_x0)
                   : "r"(in_x8), "r"(in_x1), "r"(in_x2), "r"(in_x3)
                   : "memory");
  return in_x0;
}
#else
constexpr bool kCallsLeaveErrnoAlone = false;
OSIISO_IN_CHILD inline long raw_call(long number, long first = 0, long second = 0, long third = 0,
                                     long fourth = 0) {
  const long result = ::syscall(number, first, second, third, fourth);
  return result < 0 ? -errno : result;
}
#endif

/// A pointer as what a system call takes.
OSIISO_IN_CHILD inline long word(const volatile void* pointer) {
  return reinterpret_cast<long>(pointer);  // NOLINT(*-reinterpret-cast)
}

}  // namespace osiiso::process
