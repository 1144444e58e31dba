// SPDX-License-Identifier: MIT
//
// Quoting against a real shell: whatever the value, and wherever in a word it stands, dash hands
// exactly its bytes to the command. The first bytes choose the word, the rest is the value.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "fuzz/fuzz.hpp"
#include "job/placeholders.hpp"

using namespace osiiso;

namespace {

constexpr std::size_t kMostSegments = 4;

struct Word {
  std::string text;      // with placeholders
  std::string expected;  // what the shell makes of it
};

/// A word of as many segments as the first byte says, each in the quotes that its byte chooses.
Word word_of(std::string& bytes, std::string& value) {
  const auto take = [&] {
    const unsigned char first = bytes.empty() ? 0 : static_cast<unsigned char>(bytes.front());
    bytes.erase(0, 1);
    return first;
  };
  std::vector<unsigned char> kinds(1 + take() % kMostSegments);
  for (auto& kind : kinds) kind = take();
  value = bytes;
  Word word;
  for (const unsigned char kind : kinds) {
    switch (kind % 6) {
      case 0:
        word.text += "{}";
        word.expected += value;
        break;
      case 1:
        word.text += "\"a {} b\"";
        word.expected += "a " + value + " b";
        break;
      case 2:
        word.text += "'a {} b'";
        word.expected += "a " + value + " b";
        break;
      case 3:
        word.text += "\"$(printf '%s.' {})\"";
        word.expected += value + '.';
        break;
      case 4:
        word.text += "\"$(printf '%s.' \"<{}>\"'{}')\"";
        word.expected += '<' + value + '>' + value + '.';
        break;
      default:
        word.text += "\"${NONE:-\"{}\"}\"\\{";
        word.expected += value + '{';
        break;
    }
  }
  return word;
}

std::string output_of(const Command& command) {
  std::vector<std::string> environment = {"PATH=/usr/bin:/bin"};
  for (std::string_view rest = command.variables(); !rest.empty();) {
    environment.emplace_back(rest.substr(0, rest.find('\0')));
    rest.remove_prefix(environment.back().size() + 1);
  }
  std::vector<char*> envp;
  for (std::string& variable : environment) envp.push_back(variable.data());
  envp.push_back(nullptr);
  std::string script = command.words().front();
  std::string shell = "/bin/dash";
  std::string option = "-c";
  const std::array<char*, 4> argv{shell.data(), option.data(), script.data(), nullptr};

  std::array<int, 2> ends{};
  fuzz::require(::pipe2(ends.data(), O_CLOEXEC) == 0, "a pipe can be had");
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  pid_t pid = -1;
  const int failed =
      ::posix_spawn(&pid, shell.c_str(), &actions, nullptr, argv.data(), envp.data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  fuzz::require(failed == 0, "the shell can be started");
  std::string printed;
  std::array<char, 4096> piece;
  for (ssize_t got; (got = ::read(ends[0], piece.data(), piece.size())) > 0;) {
    printed.append(piece.data(), static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  fuzz::require(!WIFSIGNALED(status), "nobody kills the shell");
  fuzz::require(WEXITSTATUS(status) == 0, "the shell succeeds");
  return printed;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes = fuzz::text_of(data, std::min<std::size_t>(size, 4096));
  std::erase(bytes, '\0');
  std::string value;
  const Word word = word_of(bytes, value);
  const auto made = job::Template::shell("printf '%s' " + word.text, {"/bin/dash", "-c"}, {});
  if (!made.mistakes().empty()) return 0;  // refused rather than wrong
  fuzz::require(output_of(made.fill(job::Input::scalar(value), 1, {})) == word.expected,
                "the command receives exactly the value's bytes");
  return 0;
}
