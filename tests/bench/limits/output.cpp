// SPDX-License-Identifier: MIT
#include <filesystem>

#include <fmt/format.h>

#include "bench/limits/limits.hpp"
#include "bench/measure.hpp"

namespace bench {
namespace {

struct Way {
  std::string name;
  std::vector<std::string> argv;
};

/// A file that takes no room on the disk, and what has been read of it once is in memory.
std::string make_bytes(std::size_t mebibytes, const TemporaryFolder& folder) {
  const auto path = folder.write("bytes", "");
  std::filesystem::resize_file(path, mebibytes << 20);
  measure_program({"cat", path});
  return path;
}

std::vector<Way> ways(const std::string& program, const std::string& bytes,
                      const std::string& written, const TemporaryFolder& folder) {
  std::vector<Way> all{
      {"cat | cat > /dev/null", {"sh", "-c", fmt::format("cat {} | cat > /dev/null", bytes)}},
      {"cat | cat > FILE",
       {"sh", "-c", fmt::format("mkdir {1} && cat {0} | cat > {1}/out", bytes, written)}}};
  for (const std::string queue : {"thread", "process", "async"}) {
    const auto job = folder.write(
        queue + "-output.yaml",
        fmt::format("version: 1\nqueue: {{kind: {}}}\ntasks:\n- [cat, {}]\n", queue, bytes));
    all.push_back({queue + " queue", {program, "run", job}});
    all.push_back({queue + " queue, --log-dir", {program, "run", job, "--log-dir", written}});
  }
  return all;
}

}  // namespace

Table measure_output(const LimitSettings& settings, const TemporaryFolder& folder) {
  Table table(fmt::format("output: {} MiB of one task, ratios to the first", settings.mebibytes),
              {{"ratio", "ratio", 2},
               {"gib_per_second", "GiB/s", 2},
               {"cpu_seconds", "CPU s", 2},
               {"peak_mib", "peak MiB", 1}});
  const auto bytes = make_bytes(settings.mebibytes, folder);
  const auto written = folder.file("written");
  const auto all = ways(settings.program, bytes, written, folder);
  for (std::size_t round = 0; round < settings.rounds; ++round) {
    double first = 0;
    for (const auto& way : all) {
      const auto cost = measure_program(way.argv);
      std::filesystem::remove_all(written);
      if (first == 0) first = cost.seconds;
      table.add(way.name, {first / cost.seconds,
                           static_cast<double>(settings.mebibytes) / 1024 / cost.seconds,
                           cost.own_cpu, cost.peak_bytes / (1 << 20)});
    }
  }
  return table;
}

}  // namespace bench
