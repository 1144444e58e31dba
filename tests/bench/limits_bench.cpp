// SPDX-License-Identifier: MIT
//
// What does not follow from how fast commands start: many tasks, many at once, much output, how
// soon a timeout or cancel takes hold, how well a rate is kept, what a function costs, how fast job
// files are read. Each section is a table of medians over the rounds; where it has a peer, the peer
// takes its turn in every round.
//
//     osiiso_bench_limits [--only SECTION] [--rounds N] [--tasks N] [--sleepers N] [--mebibytes N]
//                         [--samples N] [--functions N] [--json FILE] [--osiiso PROGRAM]
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "osiiso/process_queue.hpp"

#include "bench/limits/limits.hpp"
#include "bench/options.hpp"

namespace {

using bench::LimitSettings;

struct Section {
  std::string name;
  bench::Table (*measure)(const LimitSettings& settings, const bench::TemporaryFolder& folder);
};

// What this process has held by then counts as the peak memory of what it starts, so the sections
// that measure memory come first.
const Section kSections[] = {
    {"tasks", bench::measure_tasks},     {"sleepers", bench::measure_sleepers},
    {"output", bench::measure_output},   {"functions", bench::measure_functions},
    {"cancels", bench::measure_cancels}, {"checkpoint", bench::measure_checkpoint},
    {"rates", bench::measure_rates},     {"reactions", bench::measure_reactions},
    {"reading", bench::measure_reading},
};

LimitSettings read_settings(int count, char** arguments) {
  const auto folder = std::filesystem::absolute(arguments[0]).parent_path();
  LimitSettings settings;
  settings.program = (folder / "osiiso").string();
  settings.noop = (folder / "osiiso_bench_noop").string();
  bench::read_options(count, arguments,
                      {{"--rounds", &settings.rounds},
                       {"--tasks", &settings.tasks},
                       {"--sleepers", &settings.sleepers},
                       {"--mebibytes", &settings.mebibytes},
                       {"--samples", &settings.samples},
                       {"--functions", &settings.functions},
                       {"--only", &settings.only},
                       {"--json", &settings.json},
                       {"--osiiso", &settings.program}});
  return settings;
}

}  // namespace

int main(int count, char** arguments) {
  if (const auto code = osiiso::worker_main(count, arguments)) return *code;
  const auto settings = read_settings(count, arguments);
  const bench::TemporaryFolder folder;
  nlohmann::ordered_json report{{"rounds", settings.rounds}};
  for (const auto& section : kSections) {
    if (section.name.find(settings.only) == std::string::npos) continue;
    const auto table = section.measure(settings, folder);
    fmt::print("{}", table.to_text());
    std::fflush(stdout);
    report[section.name] = table.to_json();
  }
  if (!settings.json.empty()) std::ofstream(settings.json) << report.dump(1) << '\n';
  return 0;
}
