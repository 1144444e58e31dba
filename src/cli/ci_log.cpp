// SPDX-License-Identifier: MIT
#include "cli/ci_log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <ctime>
#include <random>
#include <string_view>
#include <vector>

#include "osiiso/error.hpp"

#include "base/descriptor.hpp"
#include "base/descriptor_stream.hpp"
#include "base/format.hpp"
#include "base/text.hpp"
#include "cli/ci.hpp"
#include "cli/result_stream.hpp"
#include "cli/variable.hpp"
#include "report/markdown.hpp"

namespace osiiso::cli {
namespace {

// What GitHub shows of a step, and takes as its summary.
constexpr std::size_t kMostAnnotations = 10;
constexpr std::size_t kLargestSummary = 1024UL * 1024 - 1;

constexpr std::size_t kNamesShown = 5;

std::string random_token() {
  std::random_device device;
  std::string token = "osiiso-";
  for (int i = 0; i < 4; ++i) token += base::format("{:08x}", device());
  return token;
}

/// Text as a GitHub command takes it.
std::string command_text(std::string_view text, bool is_property) {
  std::string escaped;
  for (const char c : text) {
    const bool is_special =
        c == '%' || c == '\r' || c == '\n' || (is_property && (c == ':' || c == ','));
    if (is_special) {
      escaped += base::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string ended_line(std::string text) {
  if (!text.empty() && text.back() != '\n') text += '\n';
  return text;
}

/// Failures that say the same, the first one first.
using Alike = ResultList;

/// A text of the task's own tells more than a bare exit status, and what failed first may be why
/// others did.
std::vector<Alike> by_use(ResultList failures) {
  const auto is_bare = [](const TaskResult& result) {
    return !result.output || result.output->stderr_text.empty();
  };
  std::ranges::stable_sort(failures, [&](const ResultPtr& one, const ResultPtr& other) {
    return std::pair(is_bare(*one), one->finished_at) <
           std::pair(is_bare(*other), other->finished_at);
  });
  std::vector<Alike> all;
  for (const auto& failure : failures) {
    const auto same = std::ranges::find_if(
        all, [&](const Alike& alike) { return alike.front()->message == failure->message; });
    // Many that differ need not all be told apart: what is not shown anyway is only counted.
    if (same != all.end()) {
      same->push_back(failure);
    } else if (all.size() <= kMostAnnotations) {
      all.push_back({failure});
    }
  }
  return all;
}

std::string annotation(const Alike& alike) {
  std::string text = alike.front()->message;
  if (alike.size() > 1) text += "\nalso: ";
  for (std::size_t i = 1; i < std::min(alike.size(), kNamesShown); ++i) {
    text += (i == 1 ? "" : ", ") + base::escape_controls(alike[i]->name);
  }
  if (alike.size() > kNamesShown) text += base::format(" and {} more", alike.size() - kNamesShown);
  return base::format("::error title={}::{}\n",
                      command_text(base::escape_controls(alike.front()->name), true),
                      command_text(text, false));
}

std::string annotation_of_run(const std::string& text) {
  return base::format("::error title=osiiso::{}\n", command_text(text, false));
}

/// Of a run that was ended from outside; empty: this one was not.
std::string why_cut_short(const RunSummary& summary, const report::RunFacts& facts,
                          const Cancellations& cancelled) {
  std::string text;
  if (facts.interrupted_by) {
    text = "interrupted by " + base::signal_name(*facts.interrupted_by);
  } else if (summary.timed_out) {
    text = "the run's timeout passed";
  } else {
    return {};
  }
  const auto lost = cancelled.cut_short("running then: ");
  return lost.empty() ? text : text + "; " + lost;
}

/// `count`: of all failures, of which not every one need be there.
std::string annotations(const ResultList& failures, std::size_t count, std::size_t most) {
  const auto all = by_use(failures);
  std::string text;
  std::size_t told = 0;
  const bool are_more = all.size() > most;
  const std::size_t shown = are_more ? most - 1 : all.size();
  for (std::size_t i = 0; i < shown; ++i) {
    text += annotation(all[i]);
    told += all[i].size();
  }
  if (are_more) {
    text += annotation_of_run(base::format("{} further tasks failed", count - told));
  }
  return text;
}

/// Throws `SystemError`.
void append_summary(const std::string& path, const RunSummary& summary,
                    const report::RunFacts& facts, const ResultList& failures,
                    const std::vector<std::string>& notes) {
  const base::Descriptor file(
      ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666));
  const auto check = [](int error) {
    if (error != 0) throw SystemError("cannot write the summary of the step", error);
  };
  check(file ? 0 : errno);
  struct stat status {};
  check(::fstat(file.get(), &status) == 0 ? 0 : errno);
  const auto used = std::min(static_cast<std::size_t>(status.st_size), kLargestSummary);
  const auto text = report::markdown(summary, facts, failures, notes, kLargestSummary - used);
  check(base::write_all(file.get(), text));
}

}  // namespace

CiLog::Service CiLog::find_service() {
  // Inside a task the log is that of the outer run, which takes care of it.
  if (!variable("OSIISO_TASK_ID").empty()) return Service::none;
  if (variable("GITHUB_ACTIONS") == "true") return Service::github;
  return variable("GITLAB_CI").empty() ? Service::none : Service::gitlab;
}

CiLog::CiLog() : service_(find_service()) {
  if (!exists()) return;
  if (streams_are_parents()) {
    is_stdout_shown_ = ::dup2(STDERR_FILENO, STDOUT_FILENO) == STDOUT_FILENO;
  }
  if (service_ != Service::github) return;
  token_ = random_token();
  say_raw(stopped());
}

bool CiLog::is_shown_by(int descriptor) const {
  return exists() && (descriptor == STDERR_FILENO || is_stdout_shown_);
}

std::string CiLog::made_safe(const std::string& printed) const {
  return service_ == Service::gitlab ? base::escape_all_but_colours(printed) : printed;
}

std::string CiLog::folded(const std::string& title, const std::string& printed) const {
  const std::string text = ended_line(made_safe(printed));
  const std::string header = base::escape_controls(title);
  if (service_ == Service::github) {
    return resumed() + base::format("::group::{}\n", command_text(header, false)) + stopped() +
           text + resumed() + "::endgroup::\n" + stopped();
  }
  static std::atomic<int> sections = 0;
  const auto section = base::format("osiiso_{}", ++sections);
  const auto now = static_cast<std::int64_t>(std::time(nullptr));
  return base::format("\x1b[0Ksection_start:{}:{}[collapsed=true]\r\x1b[0K{}\n", now, section,
                      header) +
         text + base::format("\x1b[0Ksection_end:{}:{}\r\x1b[0K\n", now, section);
}

void CiLog::tell(const RunSummary& summary, const report::RunFacts& facts,
                 const ResultList& failures, const Cancellations& cancelled) const {
  if (service_ != Service::github) return;
  std::string text;
  std::size_t room = kMostAnnotations;
  if (const auto why = why_cut_short(summary, facts, cancelled); !why.empty()) {
    text = annotation_of_run(why);
    --room;
  }
  text += annotations(failures, std::max(failures.size(), summary.failed), room);
  if (!text.empty()) say_raw(resumed() + text + stopped());
  const std::string path(variable("GITHUB_STEP_SUMMARY"));
  if (path.empty()) return;
  try {
    append_summary(path, summary, facts, failures, cancelled.lines());
  } catch (const SystemError& error) {
    say(error.what());
  }
}

void CiLog::end() {
  if (service_ == Service::github) say_raw(resumed());
  service_ = Service::none;
}

std::string CiLog::resumed() const {
  return "::" + token_ + "::\n";
}

std::string CiLog::stopped() const {
  return "::stop-commands::" + token_ + "\n";
}

}  // namespace osiiso::cli
