// SPDX-License-Identifier: MIT
//
// Quoting against a real shell: whatever the value, and wherever in a word it stands, dash hands
// exactly its bytes to the command. The first bytes choose the word, the rest is the value.
#include <sys/wait.h>

#include <algorithm>
#include <string>
#include <vector>

#include "fuzz/fuzz.hpp"
#include "job/placeholders.hpp"
#include "support/shell_output.hpp"

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
  auto [printed, status] = test::run_in({"/bin/dash", "-c"}, command);
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
  fuzz::require(output_of(made.fill(job::Input::scalar(value), 1)) == word.expected,
                "the command receives exactly the value's bytes");
  return 0;
}
