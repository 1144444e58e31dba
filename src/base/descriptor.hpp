// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

namespace osiiso::base {

/// Owns a file descriptor. Closed on exec, like every descriptor that osiiso opens.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      reset();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  ~Descriptor() { reset(); }

  int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }
  int release() { return std::exchange(number_, -1); }
  void reset();

 private:
  int number_ = -1;
};

struct Pipe {
  Descriptor read_end;
  Descriptor write_end;
};

/// Throws `SystemError`. `flags` as for pipe2(2), O_CLOEXEC is added.
Pipe make_pipe(int flags = 0);

/// A counter to be woken by, non-blocking. Throws `SystemError`.
Descriptor make_eventfd();

/// Wakes who polls the counter.
void wake(const Descriptor& eventfd) noexcept;

/// Opens `path` for reading, or throws `SystemError` that names it.
Descriptor open_for_reading(const std::string& path);

}  // namespace osiiso::base
