// SPDX-License-Identifier: MIT
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "cli/osiiso.hpp"

using osiiso::test::kSanitizerKib;
using osiiso::test::osiiso_with;
using osiiso::test::run_program;
using osiiso::test::TemporaryFolder;

TEST_CASE("100,000 tasks of one file run within 200 MB") {
  std::string job = "tasks:\n";
  for (int i = 0; i < 100'000; ++i) job += "  - [/bin/true, " + std::to_string(i) + "]\n";
  const TemporaryFolder folder;
  const auto path = folder.write("large.yaml", job);
  const auto ended = run_program(osiiso_with({"run", path, "--workers", "2"}));
  CHECK(ended.exit_code == 0);
  CHECK(ended.out.find("Total tasks : 100000\n  Succeeded   : 100000\n") != std::string::npos);
  CHECK(ended.max_rss_kib < 200 * 1000 + kSanitizerKib);
}

TEST_CASE("200,000 inputs wait, and are cancelled, within 120 MB, each of them reported") {
  const TemporaryFolder folder;
  std::string inputs;
  for (int i = 0; i < 200'000; ++i) inputs += std::to_string(i) + '\n';
  folder.write("inputs", inputs);
  const auto path = folder.write("large.yaml",
                                 "queue: {fail_policy: fail_first, workers: 1}\n"
                                 "groups:\n"
                                 "  all:\n"
                                 "    command: [/bin/false, \"{}\"]\n"
                                 "    inputs_from: {file: inputs}\n");
  const auto ended = run_program(osiiso_with({"run", path, "--json"}));
  CHECK(ended.exit_code == 1);
  CHECK(ended.max_rss_kib < 120 * 1000 + kSanitizerKib);
  const auto summary = nlohmann::json::parse(ended.out);
  CHECK(summary["total_submitted"] == 200'000);
  CHECK(summary["groups"]["all"]["cancelled"] == summary["cancelled"]);
  const auto& results = summary["results"];
  REQUIRE(results.size() == 200'000);
  CHECK(results[0]["status"] == "failed");
  CHECK(results[199'999]["command"] == "/bin/false 199999");
  CHECK(results[199'999]["message"] == "cancelled before execution");
}
