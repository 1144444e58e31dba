// SPDX-License-Identifier: MIT
#include <string>

#include <doctest/doctest.h>

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
