// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "osiiso/error.hpp"
#include "osiiso/task_options.hpp"

namespace osiiso {

class TaskContext;

/// What happens to processes that a command leaves behind when it ends.
enum class Leak {
  kill,  ///< they are stopped
  fail,  ///< they are stopped, and the attempt fails
  keep,  ///< they live until the run ends
};

/// Everything about a command but its words. Tasks that differ in nothing else share one.
struct CommandSettings {
  /// Set in, or (none) removed from, the environment that the program itself has.
  std::map<std::string, std::optional<std::string>> env = {};
  /// Working directory. Empty: that of the program.
  std::string cwd = {};
  /// Text that the command reads on its standard input.
  std::optional<std::string> stdin_text = {};
  /// File that the command reads on its standard input. Neither: `/dev/null`.
  std::optional<std::string> stdin_file = {};
  /// Interpreter of a command string; the text follows its words. One word gets `-c` added.
  std::vector<std::string> shell = {"/bin/sh", "-c"};
  /// Exit codes that count as success.
  std::vector<int> ok_codes = {0};
  Leak leak = Leak::kill;
};

/// A process that a command had left behind when it ended; it was stopped.
struct LeakedProcess {
  std::int64_t pid = 0;
  std::string command;  ///< its words with spaces between them, cut where they are very long
  Duration age{0};      ///< since its start, when it was found
};

/// How a command's process ended, what it printed, and what it used.
struct CommandOutput {
  std::optional<int> exit_code;  ///< of a process that exited
  std::optional<int> signal;     ///< of a process that was killed
  bool core_dumped = false;
  /// The first and the last 32 KiB of each stream, with a line between them that says how many
  /// bytes were left out where there were more.
  std::string stdout_text;
  std::string stderr_text;
  std::uint64_t stdout_bytes = 0;  ///< as written by the command
  std::uint64_t stderr_bytes = 0;
  bool truncated = false;  ///< whether bytes of either stream were left out
  Duration cpu_user{0};
  Duration cpu_system{0};
  std::int64_t max_rss = 0;  ///< peak resident memory in bytes, of the largest single process
  /// What was left behind, at most 10,000 of them. Where this program is no subreaper (see
  /// `own_process`), only with `Leak::fail`, and only what is in the command's process group.
  std::vector<LeakedProcess> leaked = {};
};

/// A command did not succeed. The text is what reports show: the last line of its standard error
/// where there is one, else `exit status 3`, `killed by SIGSEGV`, `cannot run 'foo': ...`.
class CommandError : public Error {
 public:
  CommandError(const std::string& message, Cause cause, CommandOutput output)
      : Error(message),
        cause_(cause),
        output_(std::make_shared<const CommandOutput>(std::move(output))) {}

  Cause cause() const { return cause_; }
  const CommandOutput& output() const { return *output_; }
  const std::shared_ptr<const CommandOutput>& shared_output() const { return output_; }

 private:
  Cause cause_;
  std::shared_ptr<const CommandOutput> output_;  // shared, since exceptions are copied
};

/// A child process to run: a callable like any other, so that a queue treats it like one.
///
///     queue.submit({.retries = 2}, osiiso::Command::shell("make -C docs | tee log"));
///     queue.submit(osiiso::Command::argv({"convert", path, "out.png"}));
///
/// A value. Copies share the settings and, as long as they keep these, the text for the shell.
/// After a move it can only be copied and assigned to. What makes or changes one throws
/// `OptionError`, too, where a text is longer than 4 GiB.
class Command {
 public:
  using Settings = std::shared_ptr<const CommandSettings>;

  /// A program and its arguments, started as they stand. Throws `OptionError` if there is no word
  /// or a word holds a NUL byte.
  static Command argv(const std::vector<std::string>& words, Settings settings = {});

  /// A text for the shell. Throws `OptionError` if it is blank or holds a NUL byte.
  static Command shell(std::string text, Settings settings = {});

  /// The same command with `name=value` added to its environment, over the settings' own. Throws
  /// `OptionError` for a name that is empty or holds `=`, and for a NUL byte in either.
  Command& with_variable(std::string_view name, std::string_view value);

  /// The same command with other settings.
  Command& with_settings(Settings settings);

  /// The same command, shown to readers as `text` (a template with its inputs filled in, say).
  Command& with_text(std::string_view text);

  bool is_shell() const { return of_shell() != nullptr; }
  /// The words of an argv; for a shell command its text alone.
  std::vector<std::string> words() const;
  /// Readable text: the shell text as it is, or the words quoted as a shell would need them.
  std::string text() const;
  const CommandSettings& settings() const;
  /// What `with_variable` added: `name=value` strings, each ended by a NUL. Valid until the command
  /// is changed.
  std::string_view variables() const { return own_.variables(); }

  /// Runs the command to its end on the calling thread. Honours the context's stop request: the
  /// process group gets SIGTERM, the grace, SIGKILL. Throws `CommandError` unless the exit code is
  /// among `ok_codes`.
  CommandOutput operator()(const TaskContext& context) const;

 private:
  /// What a command has of its own, in one piece without room to spare, for a million commands are
  /// to be little more than their texts: of an argv the words, then the variables, each ended by a
  /// NUL, then the text for readers, where it is not derived.
  class Texts {
   public:
    Texts() = default;
    /// Throws `OptionError` where one of them is longer than 4 GiB.
    Texts(std::string_view words, std::string_view variables, std::string_view text);
    Texts(const Texts& other) : Texts(other.words(), other.variables(), other.text()) {}
    Texts& operator=(const Texts& other) { return *this = Texts(other); }
    Texts(Texts&& other) noexcept { swap(other); }
    Texts& operator=(Texts&& other) noexcept {
      swap(other);
      return *this;
    }
    ~Texts() = default;

    std::string_view words() const { return {bytes_.get(), words_size_}; }
    std::string_view variables() const { return {bytes_.get() + words_size_, variables_size_}; }
    std::string_view text() const {
      return {bytes_.get() + words_size_ + variables_size_, text_size_};
    }

   private:
    void swap(Texts& other) noexcept {
      std::swap(bytes_, other.bytes_);
      std::swap(words_size_, other.words_size_);
      std::swap(variables_size_, other.variables_size_);
      std::swap(text_size_, other.text_size_);
    }

    std::unique_ptr<char[]> bytes_;
    std::uint32_t words_size_ = 0;
    std::uint32_t variables_size_ = 0;
    std::uint32_t text_size_ = 0;
  };

  /// What a command for the shell shares with its copies.
  struct Shell {
    std::string text;
    Settings settings;
  };

  Command(Texts own, std::shared_ptr<const void> shared)
      : own_(std::move(own)), shared_(std::move(shared)) {}

  /// Null: an argv, which has words.
  const Shell* of_shell() const {
    return own_.words().empty() ? static_cast<const Shell*>(shared_.get()) : nullptr;
  }
  /// Null: the defaults.
  const CommandSettings* own_settings() const;

  Texts own_;
  std::shared_ptr<const void> shared_;  // a `Shell`, or the settings of an argv
};

}  // namespace osiiso
