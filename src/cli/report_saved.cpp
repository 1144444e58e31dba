// SPDX-License-Identifier: MIT
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ostream>
#include <string>

#include "osiiso/error.hpp"

#include "base/descriptor.hpp"
#include "base/format.hpp"
#include "cli/commands.hpp"
#include "cli/report_files.hpp"
#include "cli/result_stream.hpp"
#include "report/saved_run.hpp"

namespace osiiso::cli {
namespace {

constexpr const char* kStandardInput = "-";

std::string read_to_end(int descriptor, const std::string& shown) {
  std::string text;
  std::array<char, 65536> bytes;
  for (;;) {
    const auto count = ::read(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw SystemError("cannot read " + shown, errno);
    if (count == 0) return text;
    text.append(bytes.data(), static_cast<std::size_t>(count));
  }
}

std::string read_summary(const std::string& path) {
  if (path == kStandardInput) return read_to_end(STDIN_FILENO, "standard input");
  return read_to_end(base::open_for_reading(path).get(), path);
}

}  // namespace

ExitCode report_saved(const ReportCommand& command) {
  const ReportFiles reports(command.reports, command.json);
  if (command.summary != kStandardInput) reports.refuse(command.summary, "the summary to be read");
  std::string text;
  report::SavedRun saved;
  try {
    text = read_summary(command.summary);
    saved = report::read_saved_run(text);
  } catch (const SystemError& error) {
    say(error.what());
    return ExitCode::usage;
  } catch (const Error& error) {
    say(base::format("{}: it is no JSON summary of osiiso: {}", command.summary, error.what()));
    return ExitCode::usage;
  }
  return reports.write([&](std::ostream& out, report::Kind kind) {
    if (kind == report::Kind::json) {
      out << text;
    } else {
      report::write_report(out, kind, saved.summary, saved.facts);
    }
  });
}

}  // namespace osiiso::cli
