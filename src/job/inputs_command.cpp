// SPDX-License-Identifier: MIT
//
// A command whose output is read to its end before anything else happens. Not a task: nothing of
// it is reported but its failure, and its output, which can be long, is never kept as text.
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "osiiso/error.hpp"

#include "base/descriptor.hpp"
#include "base/format.hpp"
#include "base/text.hpp"
#include "job/inputs.hpp"
#include "process/spawn_gate.hpp"

namespace osiiso::job {
namespace {

constexpr std::size_t kKeptErrors = 4096;

void require(int error_number, const std::string& what) {
  if (error_number != 0) throw SystemError(what, error_number);
}

// What posix_spawn is told, freed again on every way out.
class SpawnSettings {
 public:
  explicit SpawnSettings(const std::string& name) : what_("cannot run '" + name + "'") {
    require(::posix_spawn_file_actions_init(&actions_), what_);
    require(::posix_spawnattr_init(&attributes_), what_);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  void enter(const std::string& folder) {
    require(::posix_spawn_file_actions_addchdir_np(&actions_, folder.c_str()), what_);
  }
  void open_null(int as) {
    require(::posix_spawn_file_actions_addopen(&actions_, as, "/dev/null", O_RDONLY, 0), what_);
  }
  void pass(const base::Descriptor& descriptor, int as) {
    require(::posix_spawn_file_actions_adddup2(&actions_, descriptor.get(), as), what_);
  }
  // Whatever we block or ignore is no business of the command's.
  void reset_signals() {
    sigset_t signals;
    ::sigfillset(&signals);
    require(::posix_spawnattr_setsigdefault(&attributes_, &signals), what_);
    ::sigemptyset(&signals);
    require(::posix_spawnattr_setsigmask(&attributes_, &signals), what_);
    require(
        ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK),
        what_);
  }
  pid_t spawn(const std::vector<std::string>& words) {
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    // The interface is older than const; nothing writes to them.
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    pid_t pid = -1;
    require(::posix_spawnp(&pid, argv.front(), &actions_, &attributes_, argv.data(), ::environ),
            what_);
    return pid;
  }

 private:
  std::string what_;
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

// Owns a child until it is reaped.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  ~Child() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    wait();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_;
};

// Gives what comes from two pipes to two functions, until both are closed.
class PipePair {
 public:
  PipePair(base::Descriptor output, base::Descriptor errors)
      : descriptors_{std::move(output), std::move(errors)} {}

  template <typename OnOutput, typename OnErrors>
  void read_all(const OnOutput& on_output, const OnErrors& on_errors) {
    while (descriptors_[0] || descriptors_[1]) {
      std::array<pollfd, 2> polled{
          {{descriptors_[0].get(), POLLIN, 0}, {descriptors_[1].get(), POLLIN, 0}}};
      if (::poll(polled.data(), polled.size(), -1) < 0) {
        if (errno == EINTR) continue;
        throw SystemError("cannot wait for the output", errno);
      }
      if (polled[0].revents != 0) on_output(piece_of(descriptors_[0]));
      if (polled[1].revents != 0) on_errors(piece_of(descriptors_[1]));
    }
  }

 private:
  std::string_view piece_of(base::Descriptor& descriptor) {
    const ssize_t got = ::read(descriptor.get(), piece_.data(), piece_.size());
    if (got < 0 && errno == EINTR) return {};
    if (got <= 0) descriptor.reset();
    return {piece_.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
  }

  std::array<base::Descriptor, 2> descriptors_;
  std::array<char, 1 << 16> piece_;
};

std::string failure(const std::string& name, int status, std::string_view errors) {
  const std::string_view line = base::last_line(errors);
  if (!line.empty()) {
    const std::string safe = base::escape_controls(base::replace_invalid_utf8(line));
    return base::format("'{}' failed: {}", name, base::cut_to_width(safe, 200));
  }
  if (WIFSIGNALED(status)) {
    return base::format("'{}' was killed by {}", name, base::signal_name(WTERMSIG(status)));
  }
  return base::format("'{}' failed: exit status {}", name, WEXITSTATUS(status));
}

}  // namespace

std::vector<Input> inputs_of_command(const std::vector<std::string>& words,
                                     const std::string& folder, InputFormat format) {
  const std::string& name = words.front();
  base::Pipe output = base::make_pipe();
  base::Pipe errors = base::make_pipe();
  SpawnSettings settings(name);
  settings.reset_signals();
  settings.open_null(STDIN_FILENO);
  settings.pass(output.write_end, STDOUT_FILENO);
  settings.pass(errors.write_end, STDERR_FILENO);
  if (!folder.empty()) settings.enter(folder);
  Child child([&] {
    const process::SpawnPass pass;
    return settings.spawn(words);
  }());
  output.write_end.reset();
  errors.write_end.reset();

  std::vector<Input> inputs;
  InputSplitter splitter(format);
  std::string last_errors;
  std::size_t all = 0;
  PipePair pipes(std::move(output.read_end), std::move(errors.read_end));
  pipes.read_all(
      [&](std::string_view piece) {
        all += piece.size();
        if (all > kMostInputBytes) throw Error(base::format("'{}' printed more than 1 GiB", name));
        splitter.add(piece, inputs);
      },
      [&](std::string_view piece) {
        last_errors += piece;
        if (last_errors.size() > kKeptErrors) {
          last_errors.erase(0, last_errors.size() - kKeptErrors);
        }
      });
  splitter.finish(inputs);
  const int status = child.wait();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw Error(failure(name, status, last_errors));
  }
  return inputs;
}

}  // namespace osiiso::job
