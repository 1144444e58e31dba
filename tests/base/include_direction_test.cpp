// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "support/files.hpp"

// Reads the sources of the house and checks who includes whom (docs of the design: "The house").

namespace osiiso {
namespace {

namespace fs = std::filesystem;

// A folder may include those of its own line, and itself.
const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"base", {}},
    {"model", {"base"}},
    {"scheduler", {"model", "base"}},
    {"process", {"model", "base"}},
    {"queue", {"process", "scheduler", "model", "base"}},
    {"checkpoint", {"process", "scheduler", "model", "base"}},
    {"report", {"process", "scheduler", "model", "base"}},
    {"job", {"process", "scheduler", "model", "base"}},
    {"cli", {"job", "report", "checkpoint", "queue", "process", "scheduler", "model", "base"}},
};

// Public headers belong to a folder too: to queue if they are named here, the lowest ones to base,
// else to model.
const std::set<std::string> kQueueHeaders = {
    "async_queue.hpp", "completions.hpp", "osiiso.hpp",      "process_queue.hpp", "submitting.hpp",
    "sync_queue.hpp",  "task_group.hpp",  "task_handle.hpp", "thread_queue.hpp"};
const std::set<std::string> kBaseHeaders = {"duration.hpp", "error.hpp", "version.hpp"};

// What a third-party header's path begins with, and the folders that may include it.
const std::map<std::string, std::set<std::string>> kThirdParty = {
    {"CLI", {"cli"}},
    {"yaml-cpp", {"job"}},
    {"fmt", {"base"}},
    {"sqlite3", {"checkpoint"}},
    {"asio", {"queue"}},
    {"doctest", {}},
    {"nlohmann", {"model", "queue", "checkpoint", "report", "job", "cli"}},
};

const std::set<std::string> kTopLevel = {
    "include",           "src",       "tests",   "samples",     "docs", "CMakeLists.txt",
    "CMakePresets.json", "README.md", "LICENSE", "CHANGELOG.md"};
const std::set<std::string> kNotKept = {"build", "compile_commands.json"};  // in no commit

struct Include {
  bool is_quoted;
  std::string path;
};

std::optional<Include> parse_include(std::string_view line) {
  const auto skip_blanks = [&line] {
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  };
  skip_blanks();
  if (!line.starts_with('#')) return std::nullopt;
  line.remove_prefix(1);
  skip_blanks();
  if (!line.starts_with("include")) return std::nullopt;
  line.remove_prefix(std::string_view("include").size());
  skip_blanks();
  if (!line.starts_with('"') && !line.starts_with('<')) return std::nullopt;
  const bool is_quoted = line.starts_with('"');
  line.remove_prefix(1);
  const std::size_t end = line.find(is_quoted ? '"' : '>');
  if (end == std::string_view::npos) return std::nullopt;
  return Include{is_quoted, std::string(line.substr(0, end))};
}

std::string folder_of_public_header(const std::string& name) {
  if (kQueueHeaders.contains(name)) return "queue";
  return kBaseHeaders.contains(name) ? "base" : "model";
}

// The folder that a file of the house belongs to; `path` counts from the top.
std::string folder_of(const fs::path& path) {
  if (*path.begin() == "include") return folder_of_public_header(path.filename().string());
  return std::next(path.begin())->string();
}

// A quoted path counts from src/ or from include/.
std::string folder_of_quoted(const std::string& path) {
  const fs::path included(path);
  const std::string first = included.begin()->string();
  return first == "osiiso" ? folder_of_public_header(included.filename().string()) : first;
}

std::string library_of(const std::string& path) {
  const std::string first = path.substr(0, path.find('/'));
  return first.substr(0, first.find('.'));  // asio.hpp, sqlite3.h
}

bool is_allowed(const std::string& folder, const Include& include) {
  if (!include.is_quoted) {
    const auto library = kThirdParty.find(library_of(include.path));
    return library == kThirdParty.end() || library->second.contains(folder) ||
           include.path == "nlohmann/json_fwd.hpp";
  }
  const std::string target = folder_of_quoted(include.path);
  return target == folder || kMayInclude.at(folder).contains(target);
}

void check_file(const fs::path& top, const fs::path& file, std::vector<std::string>& faults) {
  const fs::path path = file.lexically_relative(top);
  const std::string folder = folder_of(path);
  if (!kMayInclude.contains(folder)) {
    faults.push_back(path.string() + ": not in a folder that the design knows");
    return;
  }
  std::ifstream in(file);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    const auto include = parse_include(line);
    if (!include || is_allowed(folder, *include)) continue;
    faults.push_back(path.string() + ":" + std::to_string(number) + ": " + folder +
                     " must not include " + include->path);
  }
}

std::vector<std::string> faults_of_includes(const fs::path& top) {
  std::vector<std::string> faults;
  for (const char* side : {"src", "include"}) {
    for (const auto& entry : fs::recursive_directory_iterator(top / side)) {
      const fs::path extension = entry.path().extension();
      if (extension == ".hpp" || extension == ".cpp") check_file(top, entry.path(), faults);
    }
  }
  std::ranges::sort(faults);
  return faults;
}

std::vector<std::string> faults_of_top_level(const fs::path& top) {
  std::vector<std::string> faults;
  for (const auto& entry : fs::directory_iterator(top)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with('.') || kTopLevel.contains(name) || kNotKept.contains(name)) continue;
    faults.push_back(name + ": does not belong to the top level");
  }
  std::ranges::sort(faults);
  return faults;
}

// A house of a few files, gone at the end of the test.
class SmallHouse {
 public:
  SmallHouse() {
    fs::create_directories(top_ / "src");
    fs::create_directories(top_ / "include/osiiso");
  }

  void add(const std::string& path, const std::string& text) {
    fs::create_directories((top_ / path).parent_path());
    std::ofstream(top_ / path) << text;
  }
  const fs::path& top() const { return top_; }

 private:
  osiiso::test::TemporaryFolder folder_;
  const fs::path top_ = folder_.path();
};

using Faults = std::vector<std::string>;

TEST_CASE("includes of this house run one way") {
  for (const std::string& fault : faults_of_includes(OSIISO_TOP_DIR)) FAIL_CHECK(fault);
}

TEST_CASE("the top level holds what the design names and no more") {
  for (const std::string& fault : faults_of_top_level(OSIISO_TOP_DIR)) FAIL_CHECK(fault);
}

TEST_CASE("an include against the direction is found with its line") {
  SmallHouse house;
  house.add("src/model/a.cpp", "#include \"model/a.hpp\"\n#include \"base/text.hpp\"\n");
  house.add("src/queue/a.cpp", "#include \"scheduler/core.hpp\"\n#include \"process/run.hpp\"\n");
  CHECK(faults_of_includes(house.top()).empty());

  house.add("src/base/b.cpp", "\n  #  include \"model/batch.hpp\"\n");
  house.add("src/scheduler/b.hpp", "#include \"queue/engine.hpp\"\n");
  house.add("src/process/b.cpp", "#include \"scheduler/core.hpp\"\n");
  house.add("src/report/b.cpp", "#include \"job/plan.hpp\"\n");
  house.add("src/util/b.cpp", "");
  CHECK(faults_of_includes(house.top()) ==
        Faults{"src/base/b.cpp:2: base must not include model/batch.hpp",
               "src/process/b.cpp:1: process must not include scheduler/core.hpp",
               "src/report/b.cpp:1: report must not include job/plan.hpp",
               "src/scheduler/b.hpp:1: scheduler must not include queue/engine.hpp",
               "src/util/b.cpp: not in a folder that the design knows"});
}

TEST_CASE("public headers count as the folder that they belong to") {
  SmallHouse house;
  house.add("src/base/a.cpp", "#include \"osiiso/duration.hpp\"\n");
  house.add("src/queue/a.cpp", "#include \"osiiso/thread_queue.hpp\"\n");
  house.add("include/osiiso/thread_queue.hpp", "#include \"osiiso/batch.hpp\"\n");
  CHECK(faults_of_includes(house.top()).empty());

  house.add("include/osiiso/batch.hpp", "#include \"osiiso/task_handle.hpp\"\n");
  house.add("src/base/b.cpp", "#include \"osiiso/batch.hpp\"\n");
  house.add("src/report/b.cpp", "#include \"osiiso/thread_queue.hpp\"\n");
  CHECK(faults_of_includes(house.top()) ==
        Faults{"include/osiiso/batch.hpp:1: model must not include osiiso/task_handle.hpp",
               "src/base/b.cpp:1: base must not include osiiso/batch.hpp",
               "src/report/b.cpp:1: report must not include osiiso/thread_queue.hpp"});
}

TEST_CASE("a third-party library is included by its folder alone") {
  SmallHouse house;
  house.add("src/base/format.hpp", "#include <fmt/format.h>\n#include <vector>\n");
  house.add("src/job/a.cpp", "#include <yaml-cpp/yaml.h>\n");
  house.add("src/report/a.cpp", "#include <nlohmann/json.hpp>\n");
  house.add("include/osiiso/task_options.hpp", "#include <nlohmann/json_fwd.hpp>\n");
  CHECK(faults_of_includes(house.top()).empty());

  house.add("src/cli/b.cpp", "#include <yaml-cpp/yaml.h>\n");
  house.add("src/model/b.cpp", "#include <fmt/format.h>\n#include <doctest/doctest.h>\n");
  house.add("src/process/b.cpp", "#include <sqlite3.h>\n#include <nlohmann/json.hpp>\n");
  house.add("src/report/b.cpp", "#include <CLI/CLI.hpp>\n#include <asio.hpp>\n");
  CHECK(faults_of_includes(house.top()) ==
        Faults{"src/cli/b.cpp:1: cli must not include yaml-cpp/yaml.h",
               "src/model/b.cpp:1: model must not include fmt/format.h",
               "src/model/b.cpp:2: model must not include doctest/doctest.h",
               "src/process/b.cpp:1: process must not include sqlite3.h",
               "src/process/b.cpp:2: process must not include nlohmann/json.hpp",
               "src/report/b.cpp:1: report must not include CLI/CLI.hpp",
               "src/report/b.cpp:2: report must not include asio.hpp"});
}

TEST_CASE("what does not belong to the top level is found") {
  SmallHouse house;
  house.add("README.md", "");
  house.add(".gitignore", "");
  CHECK(faults_of_top_level(house.top()).empty());
  house.add("notes.txt", "");
  CHECK(faults_of_top_level(house.top()) == Faults{"notes.txt: does not belong to the top level"});
}

}  // namespace
}  // namespace osiiso
