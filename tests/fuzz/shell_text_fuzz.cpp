// SPDX-License-Identifier: MIT
//
// Shell texts with placeholders: however oddly the text is written, a value never becomes a part of
// it. What the shell gets is the same for every value.
#include "fuzz/fuzz.hpp"
#include "job/placeholders.hpp"

using namespace osiiso;

namespace {

std::string shell_text_for(const job::Template& made, const std::string& value) {
  const auto input = job::Input::scalar(value);
  fuzz::require(!made.check(input), "a scalar fills every placeholder that a text may have");
  return made.fill(input, 1).words().front();
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text = fuzz::text_of(data, size);
  std::erase(text, '\0');  // the reader refuses it
  if (text.find_first_not_of(" \t\n\v\f\r") == std::string::npos)
    return 0;  // the reader refuses that, too
  const auto made = job::Template::shell(text, {"/bin/sh", "-c"}, {});
  if (!made.mistakes().empty()) return 0;
  const auto asks_for_more = made.check(job::Input::scalar("x")).has_value();
  if (asks_for_more) return 0;  // `{2}` and the like
  fuzz::require(shell_text_for(made, "x") == shell_text_for(made, "'\"`$(:);\n\\"),
                "the shell gets the same text for every value");
  return 0;
}
