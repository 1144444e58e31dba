// SPDX-License-Identifier: MIT
#include <filesystem>
#include <map>
#include <string>

#include <doctest/doctest.h>

#include "cli/osiiso.hpp"

using nlohmann::json;
using osiiso::test::osiiso_with;
using osiiso::test::read_file;
using osiiso::test::run_osiiso;
using osiiso::test::run_program;
using osiiso::test::TemporaryFolder;

namespace {

const std::string kSamples = OSIISO_SAMPLES;

json run_sample(const std::string& name) {
  return json::parse(run_osiiso({"run", "--json", kSamples + "/" + name}).out);
}

}  // namespace

TEST_CASE("quickstart passes, its flaky step at the second attempt, and leaves nothing") {
  const auto summary = run_sample("quickstart.yaml");
  CHECK(summary["status"] == "PASSED");
  CHECK(summary["total_submitted"] == 12);
  for (const auto& result : summary["results"]) {
    CHECK(result["attempts"] == (result["name"] == "upload" ? 2 : 1));
  }
  CHECK_FALSE(std::filesystem::exists(kSamples + "/scratch"));
}

TEST_CASE("the job file in the README passes anywhere") {
  const std::string readme = read_file(kSamples + "/../README.md");
  const std::string begin = "```yaml\n";
  const auto start = readme.find(begin) + begin.size();
  const TemporaryFolder folder;
  const auto job =
      folder.write("nightly.yaml", readme.substr(start, readme.find("```", start) - start));
  auto invocation = osiiso_with({"run", "--json", job});
  invocation.folder = folder.path();
  const json summary = json::parse(run_program(invocation).out);
  CHECK(summary["status"] == "PASSED");
  CHECK(summary["groups"].size() == 2);
  CHECK_FALSE(std::filesystem::exists(folder.path() + "/out"));
}

TEST_CASE("failing shows each kind of failure and goes on") {
  const auto summary = run_sample("failing.yaml");
  std::map<std::string, std::string> messages;
  for (const auto& result : summary["results"]) messages[result["name"]] = result["message"];
  CHECK(messages["fetch"] == "fetch: mirror.invalid: Connection refused");
  CHECK(messages["unpack"] == "needs 'fetch', which failed");
  CHECK(messages["count words"].empty());
  CHECK(messages["slow query"] == "task 'slow query' exceeded 0.3s timeout");
  CHECK(messages["no-such-program --version"] ==
        "cannot run 'no-such-program': No such file or directory");
}

TEST_CASE("ci lints, builds and tests in that order") {
  const auto summary = run_sample("ci.yaml");
  CHECK(summary["status"] == "PASSED");
  CHECK(summary["groups"]["test"]["succeeded"] == 4);
  CHECK_FALSE(std::filesystem::exists(kSamples + "/ci-build"));
}

TEST_CASE("fan-out takes its inputs from a command and from a file") {
  const auto summary = run_sample("fan-out.yaml");
  CHECK(summary["status"] == "PASSED");
  CHECK(summary["groups"]["lines"]["total"] == 3);
  CHECK(summary["results"].back()["value"] == "Grace Brewster Murray is 85");
}

TEST_CASE("every sample is run by a test") {
  int samples = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kSamples)) {
    if (entry.path().extension() == ".yaml") ++samples;
  }
  CHECK(samples == 4);
}
