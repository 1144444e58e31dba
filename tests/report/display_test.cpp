// SPDX-License-Identifier: MIT
#include <locale>
#include <sstream>
#include <string>

#include <doctest/doctest.h>

#include "report/sample_results.hpp"

namespace osiiso {
namespace {

using namespace std::chrono_literals;
using test::result;
using test::summary_of;

std::string shown(const RunSummary& summary, std::size_t most_failures = 100) {
  std::ostringstream out;
  summary.display(out, most_failures);
  return out.str();
}

// The part that only a run with failures has.
std::string shown_failures(const RunSummary& summary, std::size_t most_failures = 100) {
  const std::string text = shown(summary, most_failures);
  const auto start = text.find("  Failures:\n");
  return start == std::string::npos ? "" : text.substr(start);
}

const std::string kRule = "----------------------------------------\n";

TEST_CASE("a run with failures is shown as in the manual") {
  CHECK(shown(test::nightly()) ==
        "----------------------------------------\n"
        "  Run Summary: COMPLETED WITH ERRORS\n"
        "----------------------------------------\n"
        "  Total tasks : 5\n"
        "  Succeeded   : 3\n"
        "  Failed      : 2\n"
        "  Cancelled   : 0\n"
        "  Duration    : 1.234s\n"
        "----------------------------------------\n"
        "  Failures:\n"
        "    - fetch-api (3 attempts)\n"
        "      Connection refused\n"
        "    - parse-data\n"
        "      Invalid JSON at line 42\n"
        "----------------------------------------\n");
}

TEST_CASE("an empty run has passed") {
  CHECK(shown(RunSummary()) ==
        "----------------------------------------\n"
        "  Run Summary: PASSED\n"
        "----------------------------------------\n"
        "  Total tasks : 0\n"
        "  Succeeded   : 0\n"
        "  Failed      : 0\n"
        "  Cancelled   : 0\n"
        "  Duration    : 0.000s\n"
        "----------------------------------------\n");
}

TEST_CASE("cancellations alone are errors without a list of failures") {
  const RunSummary summary =
      summary_of({result("x", Status::cancelled, "cancelled before execution", 0)});
  CHECK(shown(summary) ==
        "----------------------------------------\n"
        "  Run Summary: COMPLETED WITH ERRORS\n"
        "----------------------------------------\n"
        "  Total tasks : 1\n"
        "  Succeeded   : 0\n"
        "  Failed      : 0\n"
        "  Cancelled   : 1\n"
        "  Duration    : 0.000s\n"
        "----------------------------------------\n");
}

TEST_CASE("timed out is shown before errors, with the failures") {
  RunSummary summary = summary_of({result("a", Status::failed, "no")});
  summary.timed_out = true;
  CHECK(shown(summary).starts_with(kRule + "  Run Summary: TIMED OUT\n" + kRule));
  CHECK(shown_failures(summary) == "  Failures:\n    - a\n      no\n" + kRule);
}

TEST_CASE("a duration has three decimals, rounded") {
  const auto shows = [](Duration duration, const std::string& text) {
    return shown(summary_of({}, duration)).find("  Duration    : " + text + "\n") !=
           std::string::npos;
  };
  CHECK(shows(142ms, "0.142s"));
  CHECK(shows(1ms + 499us, "0.001s"));
  CHECK(shows(1ms + 501us, "0.002s"));
  CHECK(shows(999'999us, "1.000s"));
  CHECK(shows(1h, "3600.000s"));
}

TEST_CASE("attempts are told only above one") {
  const RunSummary summary =
      summary_of({result("one", Status::failed, "m1"), result("three", Status::failed, "m3", 3)});
  CHECK(shown_failures(summary) ==
        "  Failures:\n    - one\n      m1\n    - three (3 attempts)\n      m3\n" + kRule);
}

TEST_CASE("a failure without a message has no line for it") {
  CHECK(shown_failures(summary_of({result("quiet", Status::failed)})) ==
        "  Failures:\n    - quiet\n" + kRule);
  CHECK(shown_failures(summary_of({result("quiet", Status::failed, "\n")})) ==
        "  Failures:\n    - quiet\n" + kRule);
}

TEST_CASE("a message keeps its lines, each indented") {
  CHECK(shown_failures(
            summary_of({result("multi", Status::failed, "line one\nline two\n  line three")})) ==
        "  Failures:\n    - multi\n      line one\n      line two\n        line three\n" + kRule);
  CHECK(shown_failures(summary_of({result("dos", Status::failed, "one\r\n\r\ntwo\r\n")})) ==
        "  Failures:\n    - dos\n      one\n      \n      two\n" + kRule);
}

TEST_CASE("names and messages cannot drive the terminal") {
  CHECK(shown_failures(summary_of({result("a\nb\x1b[2J", Status::failed, "x\x1b[31m\ry\xFF")})) ==
        "  Failures:\n    - a\\nb\\x1b[2J\n      x\\x1b[31m\\ry\xEF\xBF\xBD\n" + kRule);
}

TEST_CASE("at most as many failures as asked for are listed, then how many more") {
  RunSummary summary;
  for (int i = 0; i < 123; ++i) {
    summary.add(std::make_shared<const TaskResult>(result("good", Status::succeeded)));
    summary.add(std::make_shared<const TaskResult>(result("bad", Status::failed)));
  }
  std::string hundred = "  Failures:\n";
  for (int i = 0; i < 100; ++i) hundred += "    - bad\n";
  CHECK(shown_failures(summary) == hundred + "    … and 23 more\n" + kRule);
  CHECK(shown_failures(summary, 123).find("more") == std::string::npos);
  CHECK(shown_failures(summary, 122).find("    … and 1 more\n") != std::string::npos);
  CHECK(shown_failures(summary, 0) == "  Failures:\n    … and 123 more\n" + kRule);
}

struct Grouping : std::numpunct<char> {
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

TEST_CASE("numbers look the same whatever the stream was told about them") {
  RunSummary summary;
  summary.total_submitted = summary.succeeded = 1'000'000;
  std::ostringstream out;
  out.imbue(std::locale(std::locale::classic(), new Grouping));
  out << std::hex;
  summary.display(out);
  CHECK(out.str() == shown(summary));
  CHECK(out.str().find("  Total tasks : 1000000\n") != std::string::npos);
}

}  // namespace
}  // namespace osiiso
