// SPDX-License-Identifier: MIT
#include "report/html.hpp"

#include <sstream>
#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "report/sample_results.hpp"

namespace osiiso::report {
namespace {

using nlohmann::json;
using test::result;
using test::summary_of;

constexpr std::string_view kDataStart = "<script type=\"application/json\" id=\"data\">\n";
constexpr std::string_view kDataEnd = "\n</script>";

std::string written(const RunSummary& summary, const RunFacts& facts = {}) {
  std::ostringstream out;
  write_html(out, summary, facts);
  return out.str();
}

std::string data_of(const std::string& page) {
  const auto start = page.find(kDataStart);
  REQUIRE(start != std::string::npos);
  const auto from = start + kDataStart.size();
  return page.substr(from, page.find(kDataEnd, from) - from);
}

json parsed(const RunSummary& summary, const RunFacts& facts = {}) {
  return json::parse(data_of(written(summary, facts)));
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

}  // namespace

TEST_CASE("the page holds what the run was") {
  const json data = parsed(test::nightly_with_restored(), test::facts_of_nightly());
  CHECK(data["name"] == "nightly");
  CHECK(data["status"] == "COMPLETED WITH ERRORS");
  CHECK(data["started_at"] == "2026-11-21T21:35:00.123Z");
  CHECK(data["duration"] == 1.234);
  CHECK(data["leaked"] == 4);
  CHECK(data["detached_failed"] == 2);
  REQUIRE(data["tasks"].size() == 5);
  CHECK(data["restored"][0]["name"] == "old");

  const json& failed = data["tasks"][0];
  CHECK(failed["name"] == "fetch-api");
  CHECK(failed["group"] == "api");
  CHECK(failed["status"] == "failed");
  CHECK(failed["stderr"] == "curl: (7) Connection refused\n");
  CHECK(failed["attempts"].size() == 3);
  CHECK(failed["attempts"][1] == json({1, 0.401, 0.8, "exit", 7, "Connection refused"}));

  const json& succeeded = data["tasks"][1];
  CHECK(succeeded["attempts"] == json::array({{3, 0.0015, 0.001501}}));
  CHECK(succeeded["metadata"] == json({{"owner", "ops"}}));
  CHECK_FALSE(succeeded.contains("stdout"));  // a page is read for what went wrong
}

TEST_CASE("the page asks for nothing from outside") {
  const std::string page = written(test::nightly());
  CHECK(page.find("default-src 'none'") != std::string::npos);
  for (const char* outside : {"http:", "https:", "src=", "@import", "url(", "innerHTML", "eval("}) {
    CAPTURE(outside);
    const std::string without_data =
        page.substr(0, page.find(kDataStart)) + page.substr(page.find(kDataEnd));
    CHECK(without_data.find(outside) == std::string::npos);
  }
}

TEST_CASE("no text leaves the element that holds the data") {
  for (unsigned seed = 0; seed < 500; ++seed) {
    CAPTURE(seed);
    const RunSummary summary = test::random_run(seed);
    const std::string page = written(summary, test::random_facts(seed));
    CHECK_FALSE(base::find_invalid_utf8(page));
    CHECK(count(page, "</script>") == 2);
    const std::string data = data_of(page);
    CHECK(data.find_first_of("<\x1b\r") == std::string::npos);
    CHECK(count(data, "\xE2\x80\xA8") + count(data, "\xE2\x80\xA9") == 0);
    const json parsed_data = json::parse(data);
    REQUIRE(parsed_data["tasks"].size() == summary.results.size());
    for (std::size_t i = 0; i < summary.results.size(); ++i) {
      CHECK(parsed_data["tasks"][i]["name"] ==
            base::replace_invalid_utf8(summary.results[i]->name));
    }
  }
}

TEST_CASE("output beyond what a page can hold is left out, and that is said") {
  TaskResult large = result("a", Status::failed);
  CommandOutput output;
  output.stdout_text = std::string(100'000, 'x');
  large.output = std::make_shared<const CommandOutput>(output);
  const std::string page = written(summary_of(std::vector<TaskResult>(500, large)));
  CHECK(page.size() < 40'000'000);
  const json data = json::parse(data_of(page));
  CHECK(data["tasks"][0]["stdout"].get<std::string>().size() == 100'000);
  CHECK(data["tasks"][499]["output_left_out"] == true);
}

}  // namespace osiiso::report
