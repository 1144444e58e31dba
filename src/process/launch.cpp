// SPDX-License-Identifier: MIT
#include "process/launch.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

#include "base/format.hpp"
#include "base/text.hpp"
#include "process/simple_command.hpp"

namespace osiiso::process {
namespace {

// What execvp(3) searches where there is no PATH.
constexpr std::string_view kDefaultPath = "/bin:/usr/bin";

std::vector<std::string> words_of(const Command& command) {
  if (!command.is_shell()) return command.words();
  std::vector<std::string> words = command.settings().shell;
  if (words.empty()) throw OptionError("shell must not be empty");
  if (words.size() == 1) words.emplace_back("-c");
  words.push_back(command.words().front());
  return words;
}

// The words of a command string for which no shell needs to be started.
std::optional<std::vector<std::string>> words_without_shell(const Command& command,
                                                            const Environment& environment) {
  if (!command.is_shell()) return {};
  const CommandSettings& settings = command.settings();
  const auto& shell = settings.shell;
  const bool is_default = shell.front() == "/bin/sh" &&
                          (shell.size() == 1 || (shell.size() == 2 && shell.back() == "-c"));
  if (!is_default) return {};
  auto words = simple_command(command.words().front(), environment);
  if (words && !shell_only_executes(environment, settings.cwd)) words.reset();
  return words;
}

// The files that `program` may mean, by the rules of execvp(3).
std::vector<std::string> candidates(const std::string& program, std::string_view path) {
  if (program.empty() || program.find('/') != std::string::npos) return {program};
  std::vector<std::string> files;
  for (bool more = true; more;) {
    const std::size_t colon = path.find(':');
    std::string file(path.substr(0, colon));
    if (!file.empty()) file += '/';  // an empty element is the working directory
    files.push_back(file += program);
    more = colon != std::string_view::npos;
    path.remove_prefix(more ? colon + 1 : path.size());
  }
  return files;
}

// A file in memory instead of a pipe: nobody has to write it piece by piece, and a command that
// does not read it is no special case.
base::Descriptor text_to_read(std::string_view text) {
  base::Descriptor file(::memfd_create("osiiso-stdin", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file) throw SystemError("cannot make a memory file for stdin", errno);
  for (std::size_t written = 0; written < text.size();) {
    const ssize_t count = ::pwrite(file.get(), text.data() + written, text.size() - written,
                                   static_cast<off_t>(written));
    if (count < 0 && errno != EINTR) throw SystemError("cannot write the text for stdin", errno);
    if (count > 0) written += static_cast<std::size_t>(count);
  }
  // Read-only for whoever gets it; pwrite() left the offset at the beginning.
  if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) !=
      0) {
    throw SystemError("cannot seal the text for stdin", errno);
  }
  return file;
}

// Opening a FIFO waits for its writer, and no stop request would end that: so it is opened without
// waiting, and a command that comes before the writer reads an empty file.
base::Descriptor file_to_read(const std::string& name, const std::string& path) {
  const auto fail = [&](int error_number) {
    throw SystemError(base::format("cannot open '{}'", base::escape_controls(name)), error_number);
  };
  base::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file) fail(errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail(errno);
  if (S_ISDIR(status.st_mode)) fail(EISDIR);
  if (::fcntl(file.get(), F_SETFL, O_RDONLY) != 0) fail(errno);
  return file;
}

/// None where there is nothing to read.
base::Descriptor open_stdin(const CommandSettings& settings) {
  if (settings.stdin_text) return text_to_read(*settings.stdin_text);
  if (!settings.stdin_file) return {};
  const std::string& name = *settings.stdin_file;
  const bool below_cwd = !settings.cwd.empty() && !name.starts_with('/');
  return file_to_read(name, below_cwd ? settings.cwd + '/' + name : name);
}

}  // namespace

Launch::Launch(const Command& command, const TaskContext& context, LaunchPad& pad)
    : environment_(command.settings().env, command.variables(), command.settings().cwd, context),
      words_(words_of(command)),
      stdin_(open_stdin(command.settings())),
      leak_(command.settings().leak),
      grace_(context.grace()),
      mark_(task_mark(context)),
      run_id_(context.run_id()),
      context_(&context) {
  const CommandSettings& settings = command.settings();
  request_.name = words_.front();
  if (auto words = words_without_shell(command, environment_)) {
    shell_words_ = std::exchange(words_, std::move(*words));
    for (const std::string& word : shell_words_) request_.fallback.push_back(word.c_str());
  }
  request_.paths = candidates(words_.front(), environment_.find("PATH").value_or(kDefaultPath));
  for (const std::string& word : words_) request_.argv.push_back(word.c_str());
  request_.envp = environment_.block();
  request_.cwd = settings.cwd;
  request_.stdin_fd = stdin_ ? stdin_.get() : pad.null_device();
  request_.changed_signals = pad.signals_to_reset();
}

}  // namespace osiiso::process
