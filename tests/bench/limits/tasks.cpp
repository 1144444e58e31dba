// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <functional>

#include <fmt/format.h>

#include "bench/bare_loops.hpp"
#include "bench/contenders.hpp"
#include "bench/limits/limits.hpp"
#include "bench/measure.hpp"

namespace bench {
namespace {

constexpr std::array<std::size_t, 3> kCounts{1'000, 100'000, 1'000'000};
// A bare loop keeps nothing, so more of it would only take longer.
constexpr std::size_t kMostBare = 20'000;

double per_task(double seconds, std::size_t tasks) {
  return seconds * 1e6 / static_cast<double>(tasks);
}

double total_cpu(const Cost& cost) {
  return cost.own_cpu + cost.child_cpu;
}

/// The best of the loops, its figures for one task.
Cost bare_limit(const Workload& workload, std::size_t tasks) {
  std::vector<Cost> costs;
  for (const auto& loop : bare_loops()) {
    costs.push_back(measure_function([&] { loop.run(workload.words, tasks); }));
  }
  auto best = *std::ranges::min_element(costs, {}, &Cost::seconds);
  for (double* const seconds : {&best.seconds, &best.own_cpu, &best.child_cpu}) {
    *seconds = per_task(*seconds, tasks);
  }
  return best;
}

class Counts {
 public:
  Counts(const LimitSettings& settings, const TemporaryFolder& folder)
      : settings_(settings), folder_(folder) {}

  Table measure() {
    for (std::size_t round = 0; round < settings_.rounds; ++round) {
      for (const std::size_t count : kCounts) {
        if (count <= settings_.tasks) add_round(count);
      }
    }
    return std::move(table_);
  }

 private:
  void add_round(std::size_t tasks) {
    const auto bare = bare_limit(workload_, std::min(tasks, kMostBare));
    table_.add(fmt::format("{} tasks: bare limit", tasks),
               {bare.seconds, 1, bare.own_cpu, 0, kNothing, kNothing});
    for (const std::string queue : {"thread", "process", "async"}) {
      const auto run = [&](std::size_t count) {
        const auto job = write_argv_job(queue, workload_, count, folder_);
        return measure_program({settings_.program, "run", job});
      };
      // What the program's processes use cannot be told apart from outside.
      add(fmt::format("{} tasks: {} queue", tasks, queue), tasks, run(tasks), run(1), bare,
          kNothing);
    }
    const auto library = library_contenders(workload_, tasks).front().run();
    const auto one = library_contenders(workload_, 1).front().run();
    add(fmt::format("{} tasks: library", tasks), tasks, library, one, bare,
        per_task(library.own_cpu, tasks));
  }

  void add(const std::string& row, std::size_t tasks, const Cost& cost, const Cost& one,
           const Cost& bare, double own_cpu) {
    const double seconds = per_task(cost.seconds, tasks);
    const double above = per_task(total_cpu(cost), tasks) - total_cpu(bare);
    const double bytes = (cost.peak_bytes - one.peak_bytes) / static_cast<double>(tasks);
    table_.add(
        row, {seconds, bare.seconds / seconds, own_cpu, above, cost.peak_bytes / (1 << 20), bytes});
  }

  const LimitSettings& settings_;
  const TemporaryFolder& folder_;
  const Workload workload_{"noop", {settings_.noop}, settings_.noop, false};
  Table table_{
      "tasks: static no-ops, two workers; above: CPU with that of the commands, less the bare "
      "limit's",
      {{"us_per_task", "us/task", 1},
       {"ratio", "ratio", 2},
       {"own_cpu_us", "own CPU us", 1},
       {"cpu_above_us", "above us", 1},
       {"peak_mib", "peak MiB", 1},
       {"bytes_per_task", "bytes/task", 0}}};
};

}  // namespace

Table measure_tasks(const LimitSettings& settings, const TemporaryFolder& folder) {
  return Counts(settings, folder).measure();
}

}  // namespace bench
