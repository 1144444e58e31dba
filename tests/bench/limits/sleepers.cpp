// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include <fmt/format.h>

#include "bench/limits/limits.hpp"
#include "bench/measure.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;
constexpr double kPatience = 300;  // seconds

std::vector<pid_t> children_of(pid_t process) {
  std::vector<pid_t> children;
  std::error_code ended;
  const std::filesystem::directory_iterator threads(fmt::format("/proc/{}/task", process), ended);
  if (ended) return {};
  for (const auto& thread : threads) {
    std::ifstream list(thread.path() / "children");
    for (pid_t child = 0; list >> child;) children.push_back(child);
  }
  return children;
}

/// The number behind `Threads:`, `VmHWM:` and the like.
double status_of(pid_t process, const std::string& field) {
  std::ifstream status(fmt::format("/proc/{}/status", process));
  for (std::string line; std::getline(status, line);) {
    std::istringstream words(line);
    std::string name;
    double number = 0;
    if (words >> name >> number && name == field) return number;
  }
  give_up("reading " + field);
}

void wait_until(const char* what, const std::function<bool()>& is_true) {
  for (const Stopwatch watch; !is_true(); std::this_thread::sleep_for(20ms)) {
    if (watch.seconds() > kPatience) give_up(what);
  }
}

std::string write_job(std::size_t sleepers, const TemporaryFolder& folder) {
  const auto path = folder.file("sleepers.yaml");
  std::ofstream job(path);
  job << fmt::format("version: 1\nqueue: {{kind: async, workers: {}}}\ntasks:\n", sleepers);
  for (std::size_t i = 0; i < sleepers; ++i) job << "- [/bin/sleep, '600']\n";
  return path;
}

void add_round(Table& table, const LimitSettings& settings, const std::string& job) {
  const Stopwatch starting;
  // What was started is the guardian, the program is its child.
  const pid_t guardian = start_program({settings.program, "run", job});
  wait_until("starting the program", [&] { return !children_of(guardian).empty(); });
  const pid_t program = children_of(guardian).front();
  wait_until("starting the sleepers",
             [&] { return children_of(program).size() >= settings.sleepers; });
  const double started = starting.seconds();
  const double threads = status_of(program, "Threads:");
  const double peak = status_of(program, "VmHWM:") / 1024;
  const Stopwatch stopping;
  kill(guardian, SIGTERM);
  Cost cost;
  wait_for_program(guardian, cost);
  table.add(fmt::format("{} commands that sleep", settings.sleepers),
            {peak, threads, started, stopping.seconds()});
}

}  // namespace

Table measure_sleepers(const LimitSettings& settings, const TemporaryFolder& folder) {
  Table table("sleepers: commands at once on the async queue, ended by SIGTERM",
              {{"peak_mib", "peak MiB", 1},
               {"threads", "threads", 0},
               {"seconds_to_start", "start s", 2},
               {"seconds_to_stop", "stop s", 2}});
  const auto job = write_job(settings.sleepers, folder);
  for (std::size_t round = 0; round < settings.rounds; ++round) add_round(table, settings, job);
  return table;
}

}  // namespace bench
