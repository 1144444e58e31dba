// SPDX-License-Identifier: MIT
#include "cli/report_files.hpp"

#include <algorithm>
#include <ostream>
#include <sstream>

#include "osiiso/error.hpp"

#include "base/format.hpp"
#include "base/links.hpp"
#include "cli/result_stream.hpp"

namespace osiiso::cli {
namespace {

using report::Kind;

base::WholeFile open_report(const std::string& path) {
  try {
    return base::WholeFile(path);
  } catch (const SystemError& error) {  // which names the file
    throw UsageError(base::format("--report: {}", error.what()));
  } catch (const Error& error) {
    throw UsageError(base::format("--report: cannot write {}: {}", path, error.what()));
  }
}

bool is_stdout(const ReportRequest& request) {
  return request.file == "-" || request.file == "/dev/stdout";
}

ExitCode write_result(const ReportFiles::Render& render, Kind kind,
                      const std::string& what_happened) {
  ResultStream out;
  try {
    render(out, kind);
  } catch (const Error& error) {
    say(error.what() + what_happened);
    finish_result(out);
    return ExitCode::write_failed;
  }
  return finish_result(out, what_happened);
}

/// What a reader of standard output would miss there.
void show_on_stderr(const ReportFiles::Render& render) {
  std::ostringstream text;
  render(text, Kind::text);
  say_raw(text.str());
}

}  // namespace

ReportFiles::ReportFiles(const std::vector<ReportRequest>& requests, bool json,
                         bool stdout_is_taken)
    : stdout_is_taken_(stdout_is_taken) {
  if (json) use_stdout_for(Kind::json);
  for (const auto& request : requests) {
    is_stdout(request) ? use_stdout_for(request.kind) : add(request);
  }
}

void ReportFiles::use_stdout_for(Kind kind) {
  if (on_stdout_) throw UsageError("at most one report goes to standard output (--json is one)");
  on_stdout_ = kind;
}

void ReportFiles::add(const ReportRequest& request) {
  auto file = open_report(request.file);
  const auto is_same = [&](const File& other) { return other.file.identity() == file.identity(); };
  if (std::ranges::any_of(files_, is_same)) {
    throw UsageError(base::format("--report: two reports go to {}", request.file));
  }
  files_.push_back({.kind = request.kind, .file = std::move(file)});
}

bool ReportFiles::has(const std::string& path) const {
  std::string identity;
  try {
    identity = base::resolve(path).path;
  } catch (const Error&) {
    return false;  // whoever opens it says what is wrong
  }
  return std::ranges::any_of(
      files_, [&](const File& report) { return report.file.identity() == identity; });
}

void ReportFiles::refuse(const std::string& path, const std::string& what) const {
  if (!has(path)) return;
  throw UsageError(base::format("--report: {} is {}, which would be replaced", path, what));
}

ExitCode ReportFiles::write(const Render& render, const std::string& what_happened) const {
  auto code = ExitCode::passed;
  for (const File& report : files_) {
    try {
      report.file.write([&](std::ostream& out) { render(out, report.kind); });
    } catch (const Error& error) {
      say(error.what() + what_happened);
      code = ExitCode::write_failed;
    }
  }
  if (!on_stdout_ && stdout_is_taken_) {
    show_on_stderr(render);
    return code;
  }
  const Kind kind = on_stdout_.value_or(Kind::text);
  const auto result = write_result(render, kind, what_happened);
  const bool for_program = kind != Kind::text && kind != Kind::json;
  if (for_program || result != ExitCode::passed) show_on_stderr(render);
  return std::max(code, result);
}

}  // namespace osiiso::cli
