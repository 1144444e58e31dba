// SPDX-License-Identifier: MIT
#include "process/half_start.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace osiiso::process {
namespace {

static_assert(sizeof(std::atomic<int>) == sizeof(int) && std::atomic<int>::is_always_lock_free);

// So many are kept for the next starts.
constexpr std::size_t kMostKept = 16;

const char* text_of(const std::string& text) {
  return text.c_str();
}

const char* text_of(const char* text) {
  return text;
}

/// Copies, in place of what was there, with a null at the end.
template <typename Texts>
void fill(std::vector<const char*>& pointers, const Texts& texts) {
  pointers.clear();
  for (const auto& text : texts) pointers.push_back(text_of(text));
  pointers.push_back(nullptr);
}

}  // namespace

/// What is allocated for a start. Kept from one to the next: large pieces that come and go between
/// the small ones of the results would leave holes that nothing fits.
struct HalfStart::Room {
  std::vector<const char*> paths;
  std::vector<const char*> argv;
  std::vector<const char*> envp;
  std::vector<const char*> fallback;
  std::string environment;
  // A few hundred bytes would do: the child calls nothing but the kernel.
  alignas(64) std::array<char, 16UL * 1024> stack;
};

class HalfStart::Rooms {
 public:
  // Never destroyed: a thread may still start a process while the program exits.
  static Rooms& all() {
    static Rooms* const only = new Rooms;
    return *only;
  }

  std::unique_ptr<Room> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!kept_.empty()) {
        auto room = std::move(kept_.back());
        kept_.pop_back();
        return room;
      }
    }
    return std::make_unique<Room>();
  }

  void give_back(std::unique_ptr<Room> room) {
    const std::lock_guard lock(mutex_);
    if (kept_.size() < kMostKept) kept_.push_back(std::move(room));
  }

 private:
  Rooms() { kept_.reserve(kMostKept); }

  std::mutex mutex_;
  std::vector<std::unique_ptr<Room>> kept_;
};

HalfStart::HalfStart(const SpawnRequest& request, int stdout_fd, int stderr_fd,
                     std::uint64_t descriptor_limit)
    : room_(Rooms::all().take()) {
  fill(room_->paths, request.paths);
  fill(room_->argv, request.argv);
  room_->argv.insert(room_->argv.begin(), nullptr);
  fill(room_->envp, request.envp);
  fill(room_->fallback, request.fallback);
  plan_ = {
      .paths = room_->paths.data(),
      .argv = room_->argv.data(),
      .envp = room_->envp.data(),
      .fallback = request.fallback.empty() ? nullptr : room_->fallback.data(),
      .cwd = request.cwd.empty() ? nullptr : request.cwd.c_str(),
      .descriptors = {request.stdin_fd, stdout_fd, stderr_fd},
      .changed_signals = request.changed_signals,
      .descriptor_limit = descriptor_limit,
      .step = SpawnStep::clone,
      .error_number = 0,
      .is_fallback = false,
  };
}

HalfStart::~HalfStart() {
  wait();
  Rooms::all().give_back(std::move(room_));
}

char* HalfStart::stack_top() {
  return room_->stack.data() + room_->stack.size();
}

void HalfStart::own_environment() {
  std::string& texts = room_->environment;
  texts.clear();
  for (const char* const variable : room_->envp) {
    if (variable != nullptr) texts.append(variable).push_back('\0');
  }
  const char* next = texts.data();
  for (const char*& variable : room_->envp) {
    if (variable != nullptr) next += std::strlen(variable = next) + 1;
  }
}

int* HalfStart::arm() {
  shares_memory_.store(1, std::memory_order_relaxed);
  notice_.emplace(shares_memory_);
  return reinterpret_cast<int*>(&shares_memory_);  // NOLINT(*-reinterpret-cast): the kernel's
}

void HalfStart::wait() const {
  while (!is_over()) {
    // Not FUTEX_PRIVATE_FLAG: the child, who is another process, does the waking.
    ::syscall(SYS_futex, &shares_memory_, FUTEX_WAIT, 1, nullptr, nullptr, 0);
  }
}

}  // namespace osiiso::process
