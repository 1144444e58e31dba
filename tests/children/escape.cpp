// SPDX-License-Identifier: MIT
// escape HOW [FIFO]: leaves a process behind that lives for ever, tells its number on standard
// output, and exits. Letters of HOW: s in a session of its own, d its parent exits, c its standard
// streams are closed, m OSIISO_MARK is changed, i SIGTERM is ignored, t it stops itself; w the
// leader stays, and tells the number to the FIFO.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

const char* how = "";

bool has(char letter) {
  return std::strchr(how, letter) != nullptr;
}

// Executed anew, since that is what an environment belongs to; the pipe ends with it.
[[noreturn]] void escape(int pipe) {
  if (has('s')) ::setsid();
  if (has('d') && ::fork() != 0) ::_exit(0);
  if (has('i')) std::signal(SIGTERM, SIG_IGN);
  if (has('m')) ::setenv("OSIISO_MARK", "other", 1);
  const pid_t self = ::getpid();
  if (::write(pipe, &self, sizeof self) != sizeof self) ::_exit(1);
  if (has('c')) {
    for (int descriptor = 0; descriptor < 3; ++descriptor) ::close(descriptor);
  }
  ::execl("/proc/self/exe", "escaped", has('t') ? "stop" : "pause", static_cast<char*>(nullptr));
  ::_exit(1);
}

void tell(const char* fifo, pid_t pid) {
  std::FILE* const out = fifo != nullptr ? std::fopen(fifo, "we") : stdout;
  if (out == nullptr) ::_exit(1);
  std::fprintf(out, "%d\n", pid);
  std::fclose(out);
}

}  // namespace

int main(int argc, char** argv) {
  how = argc > 1 ? argv[1] : "";
  if (std::strcmp(how, "stop") == 0) ::raise(SIGSTOP);
  if (std::strcmp(argv[0], "escaped") == 0) {
    for (;;) ::pause();
  }
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) return 1;
  const pid_t child = ::fork();
  if (child == 0) escape(pipe[1]);
  ::close(pipe[1]);
  pid_t escaped = 0;
  char end = 0;
  if (::read(pipe[0], &escaped, sizeof escaped) != sizeof escaped) return 1;
  if (::read(pipe[0], &end, 1) != 0) return 1;
  if (has('d')) ::waitpid(child, nullptr, 0);
  tell(argc > 2 ? argv[2] : nullptr, escaped);
  while (has('w')) ::pause();
}
