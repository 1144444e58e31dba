// SPDX-License-Identifier: MIT
#include "report/junit.hpp"

#include <csignal>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <sstream>
#include <string>

#include <doctest/doctest.h>

#include "report/sample_results.hpp"
#include "report/xml_reader.hpp"
#include "report/xml_text.hpp"

namespace osiiso::report {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using test::read_xml;
using test::result;
using test::summary_of;
using test::XmlElement;

const std::string kReplacement = "\xEF\xBF\xBD";

std::string written(const RunSummary& summary, const RunFacts& facts) {
  std::ostringstream out;
  write_junit(out, summary, facts);
  return out.str();
}

XmlElement parsed(const RunSummary& summary, RunFacts facts = {}) {
  if (facts.name.empty()) facts.name = "run";
  return read_xml(written(summary, facts));
}

AttemptResult failed_attempt(int number, Cause cause, const std::string& message) {
  AttemptResult attempt;
  attempt.attempt = number;
  attempt.cause = cause;
  attempt.message = message;
  return attempt;
}

TaskResult with_attempts(Status status, const std::vector<Cause>& causes) {
  TaskResult made = result("a", status, status == Status::failed ? "no" : "");
  made.started_at = 0ms;
  for (const Cause cause : causes) {
    const int number = static_cast<int>(made.unsuccessful_attempts.size()) + 1;
    made.unsuccessful_attempts.push_back(failed_attempt(number, cause, "no"));
  }
  made.attempts = static_cast<int>(causes.size()) + (status == Status::succeeded ? 1 : 0);
  return made;
}

XmlElement only_case(const TaskResult& only) {
  return parsed(summary_of({only})).only("testsuite").only("testcase");
}

void require_counts(const XmlElement& suite) {
  std::map<std::string, std::size_t> counted;
  std::size_t cases = 0;
  for (const XmlElement& each : suite.all("testcase")) {
    ++cases;
    for (const XmlElement& inner : each.elements) ++counted[inner.name];
  }
  CHECK(suite.attributes.at("tests") == std::to_string(cases));
  CHECK(suite.attributes.at("failures") == std::to_string(counted["failure"]));
  CHECK(suite.attributes.at("errors") == std::to_string(counted["error"]));
  CHECK(suite.attributes.at("skipped") == std::to_string(counted["skipped"]));
}

}  // namespace

TEST_CASE("the JUnit file of the manual's example is the golden file, byte for byte") {
  std::ifstream golden(OSIISO_GOLDEN_DIR "/nightly.xml");
  CHECK(written(test::nightly_with_restored(), test::facts_of_nightly()) ==
        std::string(std::istreambuf_iterator<char>(golden), {}));
}

TEST_CASE("an empty run is a JUnit file without suites") {
  const XmlElement root = parsed(RunSummary());
  CHECK(root.name == "testsuites");
  CHECK(root.attributes.at("tests") == "0");
  CHECK(root.elements.empty());
}

TEST_CASE("what a command did is a failure, what kept it from doing it an error") {
  for (const Cause cause : {Cause::exit, Cause::signal, Cause::leak}) {
    CHECK(only_case(with_attempts(Status::failed, {cause})).only("failure").attributes.at("type") ==
          to_string(cause));
  }
  for (const Cause cause : {Cause::timeout, Cause::spawn, Cause::worker, Cause::error}) {
    CHECK(only_case(with_attempts(Status::failed, {cause})).only("error").attributes.at("type") ==
          to_string(cause));
  }
}

TEST_CASE("attempts before a success are flaky, before a failure they are reruns") {
  const XmlElement flaky =
      only_case(with_attempts(Status::succeeded, {Cause::exit, Cause::timeout}));
  REQUIRE(flaky.elements.size() == 2);
  CHECK(flaky.elements[0].name == "flakyFailure");
  CHECK(flaky.elements[0].attributes.at("message") == "no");
  CHECK(flaky.elements[0].only("stackTrace").text == "no\nattempt 1 of 3");
  CHECK(flaky.elements[1].name == "flakyError");

  const XmlElement failed =
      only_case(with_attempts(Status::failed, {Cause::exit, Cause::timeout, Cause::exit}));
  REQUIRE(failed.elements.size() == 3);
  CHECK(failed.elements[0].name == "failure");
  CHECK(failed.elements[0].text == "no\nattempt 3 of 3");
  CHECK(failed.elements[1].name == "rerunFailure");
  CHECK(failed.elements[2].name == "rerunError");
}

TEST_CASE("a cancelled task is skipped, and says why") {
  const XmlElement cancelled =
      only_case(result("a", Status::cancelled, "cancelled before execution", 0));
  CHECK(cancelled.only("skipped").attributes.at("message") == "cancelled before execution");
  CHECK_FALSE(cancelled.attributes.contains("timestamp"));
}

TEST_CASE("a run that was cut short is never all green") {
  RunFacts facts;
  facts.interrupted_by = SIGTERM;
  const RunSummary summary = summary_of({result("a", Status::cancelled, "", 0)});
  const XmlElement interrupted = parsed(summary, facts);
  CHECK(interrupted.attributes.at("errors") == "1");
  const XmlElement& own = interrupted.elements.at(1);
  CHECK(own.attributes.at("name") == "osiiso");
  CHECK(own.only("testcase").only("error").attributes.at("message") ==
        "the run was interrupted by SIGTERM");

  RunSummary timed_out = summary;
  timed_out.timed_out = true;
  CHECK(parsed(timed_out).elements.at(1).only("testcase").only("error").attributes.at("message") ==
        "the run timed out");
}

TEST_CASE("no two cases of a suite have one name") {
  std::vector<TaskResult> results;
  for (const char* name : {"a", "a", "a (2)", "a", "\x01", "\x02"}) {
    results.push_back(result(name, Status::succeeded));
  }
  results.push_back(result("a", Status::succeeded));
  results.back().group_id = "run";  // as the run itself, which is what the ungrouped are called by
  std::set<std::string> names;
  for (const XmlElement& suite : parsed(summary_of(results)).all("testsuite")) {
    for (const XmlElement& each : suite.all("testcase")) {
      CHECK(
          names.insert(each.attributes.at("classname") + "/" + each.attributes.at("name")).second);
    }
  }
  CHECK(names.size() == 7);
}

TEST_CASE("output beyond what a service takes is left out, and that is said") {
  TaskResult large = with_attempts(Status::failed, {Cause::exit});
  CommandOutput output;
  output.stdout_text = std::string(64 * 1024, 'x');
  output.stderr_text = output.stdout_text;
  large.output = std::make_shared<const CommandOutput>(output);
  const RunSummary summary = summary_of(std::vector<TaskResult>(200, large));
  const std::string text = written(summary, {});
  CHECK(text.size() < 20'000'000);
  CHECK(text.find("<system-err>left out, for the file would be too large</system-err>") !=
        std::string::npos);
  CHECK(read_xml(text).elements.at(0).elements.at(0).only("system-out").text.size() == 64 * 1024);
}

TEST_CASE("XML says what a text says, as far as it can") {
  CHECK(xml_text("a <b> & \"c\"\n\td") == "a &lt;b&gt; &amp; \"c\"\n\td");
  CHECK(xml_attribute("\"a\"\n\t<") == "&quot;a&quot;&#10;&#9;&lt;");
  CHECK(xml_text("]]>\r\n") == "]]&gt;&#13;\n");
  CHECK(xml_text("\x1b[1;31mred\x1b[0m \x1b[2Jx") == "red x");
  CHECK(xml_text("\x1b[31") == kReplacement + "[31");
  CHECK(xml_text("a\0b\x01\xFF"s) == "a" + kReplacement + "b" + kReplacement + kReplacement);
  CHECK(xml_text("\xEF\xBF\xBE\xEF\xBF\xBF\xEF\xBF\xBD") ==
        kReplacement + kReplacement + kReplacement);
}

TEST_CASE("any bytes give XML that a strict reader takes") {
  for (unsigned seed = 0; seed < 500; ++seed) {
    CAPTURE(seed);
    const std::string text = written(test::random_run(seed), test::random_facts(seed));
    XmlElement root;
    REQUIRE_NOTHROW(root = read_xml(text));
    for (const XmlElement& suite : root.all("testsuite")) require_counts(suite);
  }
}

}  // namespace osiiso::report
