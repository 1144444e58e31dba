// SPDX-License-Identifier: MIT
#include "report/junit.hpp"

#include <algorithm>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/format.hpp"
#include "base/text.hpp"
#include "report/output_budget.hpp"
#include "report/results.hpp"
#include "report/wall_time.hpp"
#include "report/xml_text.hpp"

namespace osiiso::report {
namespace {

// Services refuse files of more than some 30 MB.
constexpr std::size_t kMostOutput = std::size_t{16} << 20;

constexpr const char* kOwnSuite = "osiiso";

struct Counts {
  std::size_t tests = 0;
  std::size_t failures = 0;
  std::size_t errors = 0;
  std::size_t skipped = 0;

  Counts& operator+=(const Counts& other) {
    tests += other.tests;
    failures += other.failures;
    errors += other.errors;
    skipped += other.skipped;
    return *this;
  }
};

/// The results of a run: first what an earlier one had finished.
class Cases {
 public:
  Cases(const RunSummary& summary, const RunFacts& facts)
      : restored_(restored_of(summary, facts)), results_(results_of(summary, facts)) {}

  std::size_t size() const { return restored_.size() + results_.size(); }
  ResultPtr operator[](std::size_t index) const {
    return index < restored_.size() ? restored_[index] : results_[index - restored_.size()];
  }

 private:
  Results restored_;
  Results results_;
};

struct Suite {
  std::string name;
  std::vector<std::size_t> cases;
  Counts counts;
  std::optional<Duration> started_at;
  Duration finished_at{0};
};

/// Whether a command ran, to an end that was not wanted.
bool is_failure(Cause cause) {
  return cause == Cause::exit || cause == Cause::signal || cause == Cause::leak;
}

Cause cause_of(const TaskResult& result) {
  const auto& attempts = result.unsuccessful_attempts;
  const Cause cause = attempts.empty() ? Cause::none : attempts.back().cause;
  return cause == Cause::none ? Cause::error : cause;
}

void add(Suite& suite, const TaskResult& result, std::size_t index) {
  suite.cases.push_back(index);
  Counts& counts = suite.counts;
  ++counts.tests;
  if (result.restored || result.status == Status::cancelled) {
    ++counts.skipped;
  } else if (result.status == Status::failed) {
    ++(is_failure(cause_of(result)) ? counts.failures : counts.errors);
  }
  if (!result.started_at) return;
  suite.started_at = std::min(suite.started_at.value_or(*result.started_at), *result.started_at);
  suite.finished_at = std::max(suite.finished_at, result.finished_at);
}

/// By first appearance; in each suite, first what an earlier run had finished.
std::vector<Suite> suites_of(const Cases& cases, const RunFacts& facts) {
  std::vector<Suite> suites;
  std::unordered_map<std::string, std::size_t> positions;  // by what is left of the name in XML
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const ResultPtr result = cases[i];
    const std::string& group_id = result->group_id;
    const auto [position, is_new] = positions.try_emplace(xml_attribute(group_id), suites.size());
    if (is_new) suites.emplace_back().name = group_id.empty() ? facts.name : group_id;
    add(suites[position->second], *result, i);
  }
  return suites;
}

std::string seconds(Duration duration) {
  return format_seconds(std::chrono::round<std::chrono::microseconds>(duration));
}

std::string attributes_of(std::string_view name, const Counts& counts, Duration time,
                          const std::string& timestamp) {
  return base::format(
      R"( name="{}" tests="{}" failures="{}" errors="{}" skipped="{}" time="{}" timestamp="{}")",
      xml_attribute(name), counts.tests, counts.failures, counts.errors, counts.skipped,
      seconds(time), timestamp);
}

/// Keeps the names in a suite apart.
class CaseNames {
 public:
  /// As an attribute has it.
  std::string take(const std::string& name) {
    std::string shown = xml_attribute(name);
    if (taken_.insert(shown).second) return shown;
    int& number = numbers_.try_emplace(shown, 1).first->second;
    std::string numbered;
    do {
      numbered = base::format("{} ({})", shown, ++number);
    } while (!taken_.insert(numbered).second);
    return numbered;
  }

 private:
  std::unordered_set<std::string> taken_;
  std::unordered_map<std::string, int> numbers_;  // the last one that a name has got
};

class JunitWriter {
 public:
  JunitWriter(std::ostream& out, const RunSummary& summary, const RunFacts& facts)
      : out_(out),
        summary_(summary),
        facts_(facts),
        cases_(summary, facts),
        started_at_(to_wall_time(facts.started_at)) {}

  void write() {
    const auto suites = suites_of(cases_, facts_);
    const std::string cut_short = why_cut_short();
    Counts all;
    for (const Suite& suite : suites) all += suite.counts;
    if (!cut_short.empty()) all += {.tests = 1, .failures = 0, .errors = 1, .skipped = 0};
    out_ << R"(<?xml version="1.0" encoding="UTF-8"?>)"
         << "\n<testsuites"
         << attributes_of(facts_.name, all, summary_.duration, rfc3339(started_at_)) << ">\n";
    for (const Suite& suite : suites) write_suite(suite);
    if (!cut_short.empty()) write_own_suite(cut_short);
    out_ << "</testsuites>\n";
  }

 private:
  /// Empty: the run was not.
  std::string why_cut_short() const {
    if (facts_.interrupted_by) {
      return "the run was interrupted by " + base::signal_name(*facts_.interrupted_by);
    }
    return summary_.timed_out ? "the run timed out" : "";
  }

  void write_own_suite(const std::string& message) {
    const Counts counts{.tests = 1, .failures = 0, .errors = 1, .skipped = 0};
    out_ << "  <testsuite"
         << attributes_of(kOwnSuite, counts, summary_.duration, rfc3339(started_at_))
         << base::format(">\n    <testcase name=\"run\" classname=\"{}\" time=\"{}\">\n", kOwnSuite,
                         seconds(summary_.duration))
         << base::format("      <error type=\"{}\" message=\"{}\"/>\n",
                         facts_.interrupted_by ? "signal" : "timeout", xml_attribute(message))
         << "    </testcase>\n  </testsuite>\n";
  }

  void write_suite(const Suite& suite) {
    const Duration start = suite.started_at.value_or(Duration{0});
    const Duration time = suite.started_at ? suite.finished_at - start : start;
    out_ << "  <testsuite"
         << attributes_of(suite.name, suite.counts, time, rfc3339(started_at_, start)) << ">\n";
    CaseNames& names = names_[suite.name];  // a group may be called as the run is
    for (const auto index : suite.cases) write_case(*cases_[index], suite.name, names);
    out_ << "  </testsuite>\n";
  }

  void write_case(const TaskResult& result, const std::string& suite, CaseNames& names) {
    out_ << base::format(R"(    <testcase name="{}" classname="{}" time="{}")",
                         names.take(result.name), xml_attribute(suite), seconds(result.duration));
    if (result.started_at) {
      out_ << base::format(R"( timestamp="{}")", rfc3339(started_at_, *result.started_at));
    }
    const auto& attempts = result.unsuccessful_attempts;
    if (result.status == Status::succeeded && !result.restored && attempts.empty()) {
      out_ << "/>\n";
      return;
    }
    out_ << ">\n";
    if (result.restored || result.status == Status::cancelled) {
      out_ << base::format("      <skipped message=\"{}\"/>\n", xml_attribute(result.message));
    } else if (result.status == Status::failed) {
      write_failed(result);
    } else {
      for (const AttemptResult& attempt : attempts) write_attempt("flaky", result, attempt);
    }
    out_ << "    </testcase>\n";
  }

  void write_failed(const TaskResult& result) {
    const auto& attempts = result.unsuccessful_attempts;
    const Cause cause = cause_of(result);
    const char* element = is_failure(cause) ? "failure" : "error";
    out_ << base::format(
        "      <{0} type=\"{1}\" message=\"{2}\">{3}</{0}>\n", element, to_string(cause),
        xml_attribute(result.message),
        xml_text(
            details(result, attempts.empty() ? AttemptResult() : attempts.back(), result.message)));
    for (std::size_t i = 0; i + 1 < attempts.size(); ++i) {
      write_attempt("rerun", result, attempts[i]);
    }
    if (result.output) write_output(*result.output);
  }

  void write_attempt(std::string_view prefix, const TaskResult& result,
                     const AttemptResult& attempt) {
    out_ << base::format(
        "      <{0}{1} type=\"{2}\" message=\"{3}\" time=\"{4}\" timestamp=\"{5}\">"
        "<stackTrace>{6}</stackTrace></{0}{1}>\n",
        prefix, is_failure(attempt.cause) ? "Failure" : "Error", to_string(attempt.cause),
        xml_attribute(attempt.message), seconds(attempt.finished_at - attempt.started_at),
        rfc3339(started_at_, attempt.started_at),
        xml_text(details(result, attempt, attempt.message)));
  }

  /// What a reader wants to know besides the message, which not every service shows.
  static std::string details(const TaskResult& result, const AttemptResult& attempt,
                             const std::string& message) {
    std::string text = message;
    const auto add = [&text](const std::string& line) {
      if (line == text) return;
      if (!text.empty()) text += '\n';
      text += line;
    };
    if (attempt.exit_code) add(base::format("exit status {}", *attempt.exit_code));
    if (attempt.signal) add("killed by " + base::signal_name(*attempt.signal));
    if (attempt.attempt > 1 || result.attempts > 1) {
      add(base::format("attempt {} of {}", attempt.attempt, result.attempts));
    }
    if (!result.command.empty()) add("command: " + result.command.str());
    return text;
  }

  void write_output(const CommandOutput& output) {
    if (!budget_.take(output)) {
      out_ << "      <system-err>left out, for the file would be too large</system-err>\n";
      return;
    }
    write_stream("system-out", output.stdout_text);
    write_stream("system-err", output.stderr_text);
  }

  void write_stream(std::string_view element, std::string_view text) {
    if (!text.empty()) {
      out_ << base::format("      <{0}>{1}</{0}>\n", element, xml_text(text));
    }
  }

  std::ostream& out_;
  const RunSummary& summary_;
  const RunFacts& facts_;
  const Cases cases_;
  WallTime started_at_;
  OutputBudget budget_{kMostOutput};
  std::unordered_map<std::string, CaseNames> names_;  // by suite
};

}  // namespace

void write_junit(std::ostream& out, const RunSummary& summary, const RunFacts& facts) {
  JunitWriter(out, summary, facts).write();
}

}  // namespace osiiso::report
