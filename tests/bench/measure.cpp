// SPDX-License-Identifier: MIT
#include "bench/measure.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace bench {
namespace {

double cpu_of(const rusage& usage) {
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double peak_of(const rusage& usage) {
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

rusage usage_of(int whom) {
  rusage usage{};
  getrusage(whom, &usage);
  return usage;
}

[[noreturn]] void become(const std::vector<std::string>& argv, const std::string& input) {
  std::vector<char*> words;
  for (const auto& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const int in = open(input.c_str(), O_RDONLY);
  const int out = open("/dev/null", O_WRONLY);
  if (in < 0 || out < 0) _exit(126);
  dup2(in, 0);
  dup2(out, 1);
  dup2(out, 2);
  execvp(words.front(), words.data());
  _exit(127);
}

}  // namespace

Cost measure_function(const std::function<void()>& work) {
  return measure_timed([&] {
    const Stopwatch watch;
    work();
    return watch.seconds();
  });
}

Cost measure_timed(const std::function<double()>& work, const std::function<void()>& prepare) {
  int ends[2] = {};
  if (pipe(ends) != 0) give_up("pipe");
  const pid_t child = fork();
  if (child == 0) {
    prepare();
    const double peak_before = peak_of(usage_of(RUSAGE_SELF));
    Cost cost{.seconds = work()};
    const auto usage = usage_of(RUSAGE_SELF);
    cost.own_cpu = cpu_of(usage);
    cost.child_cpu = cpu_of(usage_of(RUSAGE_CHILDREN));
    cost.peak_bytes = peak_of(usage);
    cost.grown_bytes = cost.peak_bytes - peak_before;
    const bool told = write(ends[1], &cost, sizeof cost) == sizeof cost;
    _exit(told ? 0 : 1);
  }
  close(ends[1]);
  Cost cost;
  if (read(ends[0], &cost, sizeof cost) != sizeof cost) give_up("a measured function");
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return cost;
}

pid_t start_program(const std::vector<std::string>& argv, const std::string& input) {
  const pid_t child = fork();
  if (child == 0) become(argv, input);
  if (child < 0) give_up("fork");
  return child;
}

int wait_for_program(pid_t program, Cost& cost) {
  int status = 0;
  rusage usage{};
  if (wait4(program, &status, 0, &usage) != program) give_up("wait4");
  cost.own_cpu = cpu_of(usage);
  cost.peak_bytes = peak_of(usage);
  return status;
}

Cost measure_program(const std::vector<std::string>& argv, const std::string& input) {
  const Stopwatch watch;
  Cost cost;
  if (wait_for_program(start_program(argv, input), cost) != 0) give_up(argv.front());
  cost.seconds = watch.seconds();
  return cost;
}

void give_up(const std::string& what) {
  std::fprintf(stderr, "%s failed\n", what.c_str());
  std::exit(1);
}

bool is_installed(const std::string& program) {
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (access((std::filesystem::path(folder) / program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double noise(std::vector<double> values) {
  if (values.size() < 2) return 0;
  std::ranges::sort(values);
  const std::size_t quarter = values.size() / 4;
  const double spread = values[values.size() - 1 - quarter] - values[quarter];
  return spread / 2 / median(values);
}

}  // namespace bench
