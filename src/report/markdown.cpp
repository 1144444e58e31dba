// SPDX-License-Identifier: MIT
#include "report/markdown.hpp"

#include <algorithm>
#include <string_view>

#include "base/characters.hpp"
#include "base/clock.hpp"
#include "base/format.hpp"
#include "base/text.hpp"
#include "report/run_status.hpp"

namespace osiiso::report {
namespace {

constexpr std::size_t kCellColumns = 200;
constexpr std::size_t kRoomForRest = 100;

/// Text that is nothing but text.
std::string plain(std::string_view text) {
  std::string escaped;
  for (const char c : base::escape_controls(text)) {
    const bool is_plain = base::is_alphanumeric(c) || c == ' ' || base::is_beyond_ascii(c);
    escaped += is_plain ? std::string(1, c) : base::format("&#{};", static_cast<int>(c));
  }
  return escaped;
}

/// The same in a table's cell.
std::string cell(std::string_view text) {
  return plain(base::cut_to_width(base::escape_controls(text), kCellColumns));
}

std::string interruption(const RunFacts& facts) {
  if (!facts.interrupted_by) return {};
  return ", interrupted by " + base::signal_name(*facts.interrupted_by);
}

std::string row(const TaskResult& failure, bool with_message) {
  return base::format("| {} | {} | {} |\n", cell(failure.name), failure.attempts,
                      with_message ? cell(failure.message) : "");
}

std::size_t size_of_rows(const ResultList& failures) {
  std::size_t size = 0;
  for (const auto& failure : failures) size += row(*failure, true).size();
  return size;
}

}  // namespace

std::string markdown(const RunSummary& summary, const RunFacts& facts, const ResultList& failures,
                     const std::vector<std::string>& notes, std::size_t limit) {
  std::string text = base::format(
      "### {}: {}{}\n\n"
      "| tasks | succeeded | failed | cancelled | duration |\n"
      "| ---: | ---: | ---: | ---: | ---: |\n"
      "| {} | {} | {} | {} | {:.3f}s |\n\n",
      cell(facts.name), status_of(summary, facts), interruption(facts), summary.total_submitted,
      summary.succeeded, summary.failed, summary.cancelled, base::in_seconds(summary.duration));
  std::string list;
  for (const auto& note : notes) list += base::format("- {}\n", plain(note));
  if (!list.empty() && text.size() + list.size() + kRoomForRest <= limit) text += list + '\n';
  if (!failures.empty()) {
    text += "| failed task | attempts | message |\n| --- | ---: | --- |\n";
  }
  if (text.size() + kRoomForRest > limit) return {};
  const std::size_t room = limit - kRoomForRest;
  const bool with_messages = text.size() + size_of_rows(failures) <= room;
  std::size_t shown = 0;
  for (; shown < failures.size(); ++shown) {
    const auto next = row(*failures[shown], with_messages);
    if (text.size() + next.size() > room) break;
    text += next;
  }
  const std::size_t all = std::max(failures.size(), summary.failed);
  if (shown < all) {
    text += base::format("\n… and {} more failed tasks\n", all - shown);
  }
  return text += '\n';
}

}  // namespace osiiso::report
