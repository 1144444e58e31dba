// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <string>

#include "support/program.hpp"

namespace osiiso::test {

/// An interactive shell in a terminal of its own, as a user has it: what is typed there, control
/// characters too, reaches whatever is in the foreground.
class Terminal {
 public:
  Terminal() {
    pid_ = ::forkpty(&terminal_, nullptr, nullptr, nullptr);
    if (pid_ < 0) throw std::runtime_error("cannot make a terminal");
    if (pid_ == 0) {
      for (const char* name : {"CI", "GITHUB_ACTIONS", "GITLAB_CI", "NO_COLOR", "PROMPT_COMMAND"})
        ::unsetenv(name);
      ::setenv("PS1", "", 1);
      ::setenv("TERM", "xterm", 1);
      ::execlp("bash", "bash", "--norc", "--noprofile", "-i", nullptr);
      ::_exit(127);
    }
    ::fcntl(terminal_, F_SETFL, O_NONBLOCK);
  }
  ~Terminal() {
    if (terminal_ >= 0) ::close(terminal_);
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  pid_t shell() const { return pid_; }

  void type(const std::string& text) const {
    if (::write(terminal_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
      throw std::runtime_error("cannot type");
    }
  }

  /// The terminal goes away, as when its window is closed.
  void hang_up() {
    ::close(terminal_);
    terminal_ = -1;
  }

  /// Waits until this is to be read; false after half a minute.
  bool shows(const std::string& text) {
    return eventually([&] {
      read();
      return screen_.find(text) != std::string::npos;
    });
  }

  /// As when the window is resized.
  void resize(unsigned short columns, unsigned short rows) const {
    const winsize size{.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    if (::ioctl(terminal_, TIOCSWINSZ, &size) != 0) throw std::runtime_error("cannot resize");
  }

  /// Forgets what was shown so far.
  void forget() { screen_.clear(); }

  const std::string& screen() const { return screen_; }

 private:
  void read() {
    std::array<char, 4096> piece{};
    for (ssize_t size; (size = ::read(terminal_, piece.data(), piece.size())) > 0;) {
      screen_.append(piece.data(), static_cast<std::size_t>(size));
    }
  }

  pid_t pid_ = -1;
  int terminal_ = -1;
  std::string screen_;
};

}  // namespace osiiso::test
