// SPDX-License-Identifier: MIT
// Each file in broken/ against what is said of it. OSIISO_REWRITE=1 writes the expected texts anew.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <doctest/doctest.h>

#include "job/reading.hpp"

namespace fs = std::filesystem;
using namespace osiiso;

namespace {

std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("every broken file is told its mistakes, in place and in order") {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(OSIISO_BROKEN_FILES)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  CHECK(files.size() >= 40);

  const bool rewrites = std::getenv("OSIISO_REWRITE") != nullptr;
  for (const fs::path& file : files) {
    CAPTURE(file.filename().string());
    const std::vector<job::Source> sources = {{file.filename().string(), contents(file), "/jobs"}};
    const job::Reading reading = job::read(sources, {}, {}, job::RunInputs::yes);
    CHECK(!reading.plan);
    CHECK(!reading.diagnostics.empty());
    const std::string told = test::shown(reading.diagnostics);
    fs::path expected = file;
    expected.replace_extension(".txt");
    if (rewrites) {
      std::ofstream(expected, std::ios::binary) << told;
    } else {
      CHECK(told == contents(expected));
    }
  }
}
