// SPDX-License-Identifier: MIT
#include "model/task_name.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace osiiso::model {
namespace {

constexpr std::size_t kLongestName = 60;
constexpr std::string_view kWhiteSpace = " \t\n\v\f";

// The words of `text` with one space between them, as far as a name can need them.
std::string on_one_line(std::string_view text) {
  std::string line;
  // Four times as many bytes as characters, and one character more than fits.
  while (line.size() <= 4 * (kLongestName + 1)) {
    const std::size_t start = text.find_first_not_of(kWhiteSpace);
    if (start == std::string_view::npos) break;
    const std::size_t end = std::min(text.find_first_of(kWhiteSpace, start), text.size());
    std::string_view word = text.substr(start, end - start);
    text.remove_prefix(end);
    // Elsewhere a carriage return is part of a value, and may be all that is wrong with it.
    if (text.starts_with('\n') && word.ends_with('\r')) word.remove_suffix(1);
    if (!line.empty() && !word.empty()) line += ' ';
    line += word;
  }
  return line;
}

}  // namespace

std::string default_name(const TaskBody& body) {
  const Command* command = body.command();
  return command == nullptr ? "task" : name_of_command(command->text());
}

std::string name_of(const Batch::TaskEntry& task) {
  return task.name().empty() ? default_name(task.body) : task.name();
}

const std::string& group_of(const Batch& batch, const Batch::TaskEntry& task) {
  if (!task.group()) return task.options()->group_id;
  return batch.groups()[static_cast<std::size_t>(*task.group())].options.group_id;
}

std::string name_of_command(std::string_view text) {
  return base::cut_to_width(on_one_line(text), kLongestName);
}

}  // namespace osiiso::model
