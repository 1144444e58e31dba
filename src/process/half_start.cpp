// SPDX-License-Identifier: MIT
#include "process/half_start.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <string>

namespace osiiso::process {
namespace {

static_assert(sizeof(std::atomic<int>) == sizeof(int) && std::atomic<int>::is_always_lock_free);

std::vector<const char*> null_ended(const std::vector<std::string>& texts) {
  std::vector<const char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(text.c_str());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<const char*> null_ended(const std::vector<const char*>& texts,
                                    std::size_t free_in_front = 0) {
  std::vector<const char*> pointers(free_in_front, nullptr);
  pointers.reserve(free_in_front + texts.size() + 1);
  pointers.insert(pointers.end(), texts.begin(), texts.end());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

HalfStart::HalfStart(const SpawnRequest& request, int stdout_fd, int stderr_fd,
                     std::uint64_t descriptor_limit)
    : paths_(null_ended(request.paths)),
      argv_(null_ended(request.argv, 1)),
      envp_(null_ended(request.envp)),
      fallback_(null_ended(request.fallback)),
      plan_{
          .paths = paths_.data(),
          .argv = argv_.data(),
          .envp = envp_.data(),
          .fallback = request.fallback.empty() ? nullptr : fallback_.data(),
          .cwd = request.cwd.empty() ? nullptr : request.cwd.c_str(),
          .descriptors = {request.stdin_fd, stdout_fd, stderr_fd},
          .changed_signals = request.changed_signals,
          .descriptor_limit = descriptor_limit,
          .step = SpawnStep::clone,
          .error_number = 0,
          .is_fallback = false,
      } {}

void HalfStart::own_environment() {
  for (const char* const variable : envp_) {
    if (variable != nullptr) environment_.append(variable).push_back('\0');
  }
  const char* next = environment_.data();
  for (const char*& variable : envp_) {
    if (variable != nullptr) next += std::strlen(variable = next) + 1;
  }
}

int* HalfStart::arm() {
  shares_memory_.store(1, std::memory_order_relaxed);
  return reinterpret_cast<int*>(&shares_memory_);  // NOLINT(*-reinterpret-cast): the kernel's
}

void HalfStart::wait() const {
  while (!is_over()) {
    // Not FUTEX_PRIVATE_FLAG: the child, who is another process, does the waking.
    ::syscall(SYS_futex, &shares_memory_, FUTEX_WAIT, 1, nullptr, nullptr, 0);
  }
}

}  // namespace osiiso::process
