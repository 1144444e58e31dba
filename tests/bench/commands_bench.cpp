// SPDX-License-Identifier: MIT
//
// How close osiiso comes to the bare cost of starting processes. In every round each contender
// runs the same commands in its turn, so that what else the machine does hits all of them; what
// counts are the medians over the rounds of each contender's ratio to the bare limit of its round,
// the best of three loops that do nothing but start and wait.
//
//     osiiso_bench_commands [--rounds N] [--tasks N] [--only WORD] [--json FILE] [--osiiso PROGRAM]
//
// With --base PROGRAM it is a gate instead: two builds of the program are compared, and the exit
// code is 1 where the newer one (--osiiso) has lost more than a tenth anywhere.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bench/bare_loops.hpp"
#include "bench/contenders.hpp"
#include "bench/measure.hpp"
#include "bench/options.hpp"

namespace {

using bench::Contender;
using bench::Cost;
using bench::Workload;

constexpr double kGreatestLoss = 0.10;

struct Settings {
  std::size_t rounds = 5;
  std::size_t tasks = 2000;
  std::string only;  // part of a workload's name
  std::string json;
  std::string program;
  std::string base;  // not empty: compare
};

/// What the rounds gave for one contender.
struct Series {
  std::string name;
  std::vector<double> rates = {};   // tasks a second
  std::vector<double> ratios = {};  // to the bare limit, or to the base, of the same round
  // Microseconds a task. A program's own CPU includes that of its children.
  std::vector<double> own_cpu = {};
  std::vector<double> total_cpu = {};
  std::vector<double> cpu_above = {};  // above the total of the bare limit
};

std::vector<Workload> workloads(const std::filesystem::path& folder) {
  const auto noop = (folder / "osiiso_bench_noop").string();
  return {{"true", {"/bin/true"}, "/bin/true", false},
          {"noop", {noop}, noop, false},
          {"shell", {"/bin/sh", "-c", "true; : $0"}, "true; :", true}};
}

void add_round(Series& series, const Cost& cost, const Cost& reference, std::size_t tasks) {
  const auto count = static_cast<double>(tasks);
  const auto per_task = [&](double seconds) { return seconds * 1e6 / count; };
  series.rates.push_back(count / cost.seconds);
  series.ratios.push_back(reference.seconds / cost.seconds);
  series.own_cpu.push_back(per_task(cost.own_cpu));
  series.total_cpu.push_back(per_task(cost.own_cpu + cost.child_cpu));
  series.cpu_above.push_back(series.total_cpu.back() -
                             per_task(reference.own_cpu + reference.child_cpu));
}

/// The reference of a round is the best of the first `references` contenders.
std::vector<Series> race(const std::vector<Contender>& contenders, std::size_t references,
                         const Settings& settings) {
  std::vector<Series> all;
  for (const auto& contender : contenders) all.push_back({.name = contender.name});
  for (std::size_t round = 0; round < settings.rounds; ++round) {
    std::vector<Cost> costs;
    for (const auto& contender : contenders) costs.push_back(contender.run());
    const auto best = std::ranges::min_element(
        costs.begin(), costs.begin() + static_cast<std::ptrdiff_t>(references), {}, &Cost::seconds);
    for (std::size_t i = 0; i < all.size(); ++i) add_round(all[i], costs[i], *best, settings.tasks);
  }
  return all;
}

void print(const std::string& title, const std::vector<Series>& all) {
  fmt::print("\n{}\n{:<36}{:>9}{:>8}{:>8}{:>11}{:>12}\n", title, "", "tasks/s", "ratio", "noise",
             "CPU/task", "above");
  for (const auto& series : all) {
    fmt::print("{:<36}{:>9.0f}{:>8.2f}{:>7.1f}%{:>9.0f}us{:>10.0f}us\n", series.name,
               bench::median(series.rates), bench::median(series.ratios),
               100 * bench::noise(series.ratios), bench::median(series.total_cpu),
               bench::median(series.cpu_above));
  }
  std::fflush(stdout);
}

nlohmann::ordered_json json_of(const std::vector<Series>& all) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& series : all) {
    list.push_back({{"name", series.name},
                    {"tasks_per_second", bench::median(series.rates)},
                    {"ratio", bench::median(series.ratios)},
                    {"noise", bench::noise(series.ratios)},
                    {"own_cpu_us", bench::median(series.own_cpu)},
                    {"total_cpu_us", bench::median(series.total_cpu)},
                    {"cpu_above_us", bench::median(series.cpu_above)}});
  }
  return list;
}

std::vector<Series> race_all(const Workload& workload, const Settings& settings,
                             const osiiso::test::TemporaryFolder& folder) {
  std::vector<Contender> contenders;
  const auto add_loop = [&](const bench::BareLoop& loop) {
    contenders.push_back({fmt::format("bare: {}", loop.name), [&workload, &settings, loop] {
                            return bench::measure_function(
                                [&] { loop.run(workload.words, settings.tasks); });
                          }});
  };
  for (const auto& loop : bench::bare_loops()) add_loop(loop);
  const std::size_t bare = contenders.size();
  for (const auto& loop : bench::floor_loops()) add_loop(loop);
  const auto add = [&](std::vector<Contender> more) {
    std::ranges::move(more, std::back_inserter(contenders));
  };
  add(bench::osiiso_contenders(settings.program, "osiiso", workload, settings.tasks, folder));
  add(bench::library_contenders(workload, settings.tasks));
  add(bench::peer_contenders(workload, settings.tasks, folder));
  return race(contenders, bare, settings);
}

/// Runs a program as often as there are tasks, one after the other.
Cost repeat(const std::vector<std::string>& argv, const std::string& input, std::size_t times) {
  Cost sum;
  for (std::size_t i = 0; i < times; ++i) {
    const auto cost = bench::measure_program(argv, input);
    sum.seconds += cost.seconds;
    sum.own_cpu += cost.own_cpu;
  }
  return sum;
}

/// What a run of one task takes, next to xargs.
std::vector<Series> race_starts(const Settings& settings,
                                const osiiso::test::TemporaryFolder& folder) {
  const auto number = folder.write("start.numbers", "1\n");
  std::vector<Contender> contenders{
      {"xargs, one task", [&, number] {
         return repeat({"xargs", "-P2", "-n1", "/bin/true"}, number, settings.tasks);
       }}};
  for (const std::string queue : {"thread", "async", "process"}) {
    const auto job = folder.write(
        "start-" + queue + ".yaml",
        fmt::format("version: 1\nqueue: {{kind: {}}}\ntasks:\n- [/bin/true, '1']\n", queue));
    contenders.push_back(
        {fmt::format("osiiso, one task, {} queue", queue), [&settings, job] {
           return repeat({settings.program, "run", job}, "/dev/null", settings.tasks);
         }});
  }
  return race(contenders, 1, settings);
}

/// Each contender of the newer build against the same one of the older. Returns whether all hold.
bool compare(const Workload& workload, const Settings& settings,
             const osiiso::test::TemporaryFolder& folder, nlohmann::ordered_json& report) {
  const auto base =
      bench::osiiso_contenders(settings.base, "base", workload, settings.tasks, folder);
  const auto head =
      bench::osiiso_contenders(settings.program, "head", workload, settings.tasks, folder);
  std::vector<Series> all;
  for (std::size_t i = 0; i < base.size(); ++i) {
    all.push_back(race({base[i], head[i]}, 1, settings).back());
  }
  print("head against base: " + workload.name, all);
  report[workload.name] = json_of(all);
  bool holds = true;
  for (const auto& series : all) {
    if (bench::median(series.ratios) >= 1 - kGreatestLoss) continue;
    fmt::print("LOST: {} has {:.2f} of the base's speed\n", series.name,
               bench::median(series.ratios));
    holds = false;
  }
  return holds;
}

Settings read_settings(int count, char** arguments) {
  Settings settings;
  settings.program = (std::filesystem::path(arguments[0]).parent_path() / "osiiso").string();
  bench::read_options(count, arguments,
                      {{"--rounds", &settings.rounds},
                       {"--tasks", &settings.tasks},
                       {"--only", &settings.only},
                       {"--json", &settings.json},
                       {"--osiiso", &settings.program},
                       {"--base", &settings.base}});
  return settings;
}

}  // namespace

int main(int count, char** arguments) {
  const auto settings = read_settings(count, arguments);
  const osiiso::test::TemporaryFolder folder;
  nlohmann::ordered_json report{{"rounds", settings.rounds}, {"tasks", settings.tasks}};
  bool holds = true;
  for (const auto& workload : workloads(std::filesystem::absolute(arguments[0]).parent_path())) {
    if (workload.name.find(settings.only) == std::string::npos) continue;
    if (!settings.base.empty()) {
      holds = compare(workload, settings, folder, report) && holds;
      continue;
    }
    const auto all = race_all(workload, settings, folder);
    print(fmt::format("{}: {} tasks, two workers, medians of {} rounds", workload.name,
                      settings.tasks, settings.rounds),
          all);
    report[workload.name] = json_of(all);
  }
  if (settings.base.empty() && std::string("start").find(settings.only) != std::string::npos) {
    auto few = settings;
    few.tasks = std::max<std::size_t>(settings.tasks / 50, 1);
    const auto all = race_starts(few, folder);
    print(fmt::format("start: {} runs of one task, ratios to xargs", few.tasks), all);
    report["start"] = json_of(all);
  }
  if (!settings.json.empty()) std::ofstream(settings.json) << report.dump(1) << '\n';
  return holds ? 0 : 1;
}
