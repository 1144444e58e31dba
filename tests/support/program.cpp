// SPDX-License-Identifier: MIT
#include "support/program.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <stdexcept>

extern char** environ;

namespace osiiso::test {
namespace {

int make_file(const std::string& text) {
  const int file = ::memfd_create("osiiso-test", MFD_CLOEXEC);
  if (file < 0 || ::write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::lseek(file, 0, SEEK_SET) != 0) {
    throw std::runtime_error("cannot make a file in memory");
  }
  return file;
}

std::string contents(int file) {
  std::string text;
  std::array<char, 65536> chunk{};
  ::lseek(file, 0, SEEK_SET);
  for (;;) {
    const auto got = ::read(file, chunk.data(), chunk.size());
    if (got <= 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& own) {
  std::vector<std::string> merged;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const auto name = text.substr(0, text.find('='));
    // A test says itself whether it plays a CI service.
    const bool is_of_service = name == "CI" || name == "GITLAB_CI" || name.starts_with("GITHUB_");
    if (!own.contains(name) && !is_of_service && !name.starts_with("OSIISO_")) {
      merged.push_back(text);
    }
  }
  for (const auto& [name, value] : own) merged.push_back(name + "=" + value);
  return merged;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (auto& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

RunningProgram::RunningProgram(const Invocation& invocation) {
  auto arguments = invocation.arguments;
  auto environment = merged_environment(invocation.env);
  const int input = make_file(invocation.input);
  out_ = make_file({});
  err_ = make_file({});

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, input, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out_, 1);
  ::posix_spawn_file_actions_adddup2(&actions, err_, 2);
  if (!invocation.stdout_path.empty()) {
    ::posix_spawn_file_actions_addopen(&actions, 1, invocation.stdout_path.c_str(), O_WRONLY, 0);
  }
  if (invocation.close_stdout) ::posix_spawn_file_actions_addclose(&actions, 1);
  if (!invocation.folder.empty()) {
    ::posix_spawn_file_actions_addchdir_np(&actions, invocation.folder.c_str());
  }
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  if (invocation.own_group) ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  const int error = ::posix_spawnp(&pid_, arguments[0].c_str(), &actions, &attributes,
                                   pointers(arguments).data(), pointers(environment).data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  ::close(input);
  if (error != 0) throw std::runtime_error("cannot start " + arguments[0]);
}

RunningProgram::~RunningProgram() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(out_);
  ::close(err_);
}

void RunningProgram::send(int signal) const {
  ::kill(pid_, signal);
}

bool RunningProgram::has_ended() const {
  siginfo_t ended{};
  return ::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         ended.si_pid == pid_;
}

Ended RunningProgram::wait() {
  int status = 0;
  rusage usage{};
  ::wait4(pid_, &status, 0, &usage);
  pid_ = -1;
  Ended ended;
  ended.max_rss_kib = usage.ru_maxrss;
  if (WIFEXITED(status)) ended.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
  ended.out = contents(out_);
  ended.err = contents(err_);
  return ended;
}

Ended run_program(const Invocation& invocation) {
  return RunningProgram(invocation).wait();
}

namespace {

/// How many other processes there are of which this holds; it is given their folder in /proc.
template <typename Predicate>
int count_others(Predicate holds) {
  int count = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (name == std::to_string(::getpid())) continue;
    if (holds(entry.path().string())) ++count;
  }
  return count;
}

bool has_argument(const std::string& process, const std::string& marker) {
  return read_file(process + "/cmdline").find(marker) != std::string::npos;
}

}  // namespace

int count_processes(const std::string& marker) {
  return count_others([&](const std::string& process) { return has_argument(process, marker); });
}

int count_in_state(char state, const std::string& marker) {
  return count_others([&](const std::string& process) {
    const auto stat = read_file(process + "/stat");
    const auto name_end = stat.rfind(") ");
    return has_argument(process, marker) && name_end != std::string::npos &&
           stat[name_end + 2] == state;
  });
}

int count_with_environment(const std::string& entry) {
  return count_others([&](const std::string& process) {
    const auto environment = '\0' + read_file(process + "/environ");
    return environment.find('\0' + entry + '\0') != std::string::npos;
  });
}

}  // namespace osiiso::test
