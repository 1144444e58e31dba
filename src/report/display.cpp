// SPDX-License-Identifier: MIT
#include "report/display.hpp"

#include <algorithm>
#include <ostream>
#include <string>
#include <string_view>

#include "base/format.hpp"
#include "base/text.hpp"

namespace osiiso {
namespace report {
namespace {

constexpr std::string_view kRule = "----------------------------------------\n";
constexpr std::string_view kMessageIndent = "      ";

std::string to_milliseconds(Duration duration) {
  const auto milliseconds = std::chrono::round<std::chrono::milliseconds>(duration).count();
  return base::format("{}.{:03}s", milliseconds / 1000, milliseconds % 1000);
}

void write_message(std::ostream& out, std::string_view message) {
  while (message.ends_with('\n') || message.ends_with('\r')) message.remove_suffix(1);
  while (!message.empty()) {
    const std::size_t line_end = std::min(message.find('\n'), message.size());
    std::string_view line = message.substr(0, line_end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    out << kMessageIndent << base::escape_controls(line) << '\n';
    message.remove_prefix(std::min(line_end + 1, message.size()));
  }
}

void write_failure(std::ostream& out, const TaskResult& result) {
  out << "    - " << base::escape_controls(result.name);
  if (result.attempts > 1) out << base::format(" ({} attempts)", result.attempts);
  out << '\n';
  write_message(out, result.message);
}

void write_failures(std::ostream& out, const RunSummary& summary, std::size_t most) {
  out << "  Failures:\n";
  std::size_t listed = 0;
  for (const ResultPtr& result : summary.results) {
    if (listed == most || listed == summary.failed) break;
    if (result->status != Status::failed) continue;
    write_failure(out, *result);
    ++listed;
  }
  if (listed < summary.failed) out << base::format("    … and {} more\n", summary.failed - listed);
  out << kRule;
}

}  // namespace

void write_display(std::ostream& out, const RunSummary& summary, std::string_view status,
                   std::size_t most_failures) {
  out << kRule << "  Run Summary: " << status << '\n' << kRule;
  // One piece of text, for a stream of the user's may have been told another way to write numbers.
  out << base::format(
      "  Total tasks : {}\n"
      "  Succeeded   : {}\n"
      "  Failed      : {}\n"
      "  Cancelled   : {}\n"
      "  Duration    : {}\n",
      summary.total_submitted, summary.succeeded, summary.failed, summary.cancelled,
      to_milliseconds(summary.duration));
  out << kRule;
  if (summary.failed > 0) write_failures(out, summary, most_failures);
}

}  // namespace report

void RunSummary::display(std::ostream& out, std::size_t most_failures) const {
  report::write_display(out, *this, status(), most_failures);
}

}  // namespace osiiso
