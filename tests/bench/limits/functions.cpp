// SPDX-License-Identifier: MIT
//
// What a task costs besides what it does: functions that do nothing. Handles, results and futures
// are kept to the end.
#include <algorithm>
#include <future>
#include <thread>
#include <vector>

#include <asio/post.hpp>
#include <asio/thread_pool.hpp>
#include <fmt/format.h>

#ifdef OSIISO_BENCH_TBB
#include <tbb/task_arena.h>
#include <tbb/task_group.h>
#endif

#include "osiiso/checkpoint.hpp"
#include "osiiso/thread_queue.hpp"

#include "bench/limits/limits.hpp"
#include "bench/measure.hpp"

namespace bench {
namespace {

constexpr int kWorkers = 2;

enum class Workers { started_by_run, started_before };

/// Workers that are started before take tasks while they are being submitted, as those of a pool.
double through_queue(std::size_t tasks, Workers workers) {
  osiiso::ThreadQueue queue({.workers = kWorkers});
  std::vector<osiiso::SyncTaskHandle<int>> handles;
  handles.reserve(tasks);
  const Stopwatch watch;
  if (workers == Workers::started_before) queue.start();
  for (std::size_t i = 0; i < tasks; ++i) handles.push_back(queue.submit([] { return 1; }));
  const auto summary = queue.run();
  const double seconds = watch.seconds();
  if (summary.succeeded != tasks) give_up("a function that does nothing");
  return seconds;
}

double through_pool(std::size_t tasks) {
  asio::thread_pool pool(kWorkers);
  std::vector<std::future<int>> futures;
  futures.reserve(tasks);
  const Stopwatch watch;
  for (std::size_t i = 0; i < tasks; ++i) {
    std::packaged_task<int()> task([] { return 1; });
    futures.push_back(task.get_future());
    asio::post(pool, std::move(task));
  }
  pool.join();
  const double seconds = watch.seconds();
  for (auto& future : futures) {
    if (future.get() != 1) give_up("a future");
  }
  return seconds;
}

#ifdef OSIISO_BENCH_TBB
/// A task group has no futures: each function writes its value itself.
double through_task_group(std::size_t tasks) {
  std::vector<int> values(tasks);
  tbb::task_arena arena(kWorkers);
  const Stopwatch watch;
  arena.execute([&] {
    tbb::task_group group;
    for (auto& value : values) group.run([&value] { value = 1; });
    group.wait();
  });
  const double seconds = watch.seconds();
  if (std::ranges::count(values, 1) != static_cast<std::ptrdiff_t>(tasks)) give_up("TBB");
  return seconds;
}
#endif

/// Cancels all of the tasks, which are queued, from two threads that both try each.
double cancels(std::size_t tasks) {
  osiiso::ThreadQueue queue({.workers = 1});
  const auto handles = queue.map([](std::size_t) {}, std::vector<std::size_t>(tasks));
  const Stopwatch watch;
  const auto cancel_all = [&] {
    for (const auto& handle : handles) handle.cancel();
  };
  std::thread other(cancel_all);
  cancel_all();
  other.join();
  return watch.seconds();
}

double with_checkpoint(std::size_t tasks, const std::string& path, bool is_restored) {
  std::vector<std::size_t> numbers(tasks);
  for (std::size_t i = 0; i < tasks; ++i) numbers[i] = i;
  const Stopwatch watch;
  osiiso::Checkpoint checkpoint(path);
  osiiso::ThreadQueue queue({.workers = kWorkers});
  queue.map([](std::size_t number) { return number; }, numbers, checkpoint.in("numbers"));
  const auto summary = queue.run();
  const double seconds = watch.seconds();
  const auto done = is_restored ? summary.restored.size() : summary.succeeded;
  if (done != tasks) give_up("a recorded function");
  return seconds;
}

/// The figures of a round; its ratio is that of the pool's time to this one.
std::vector<double> figures(const Cost& cost, const Cost& pool, std::size_t tasks) {
  const auto count = static_cast<double>(tasks);
  return {pool.seconds / cost.seconds, cost.seconds * 1e9 / count, cost.grown_bytes / count};
}

}  // namespace

Table measure_functions(const LimitSettings& settings, const TemporaryFolder&) {
  const std::size_t tasks = settings.functions;
  Table table(
      fmt::format("functions: {} that do nothing, two workers, ratios to Asio's pool", tasks),
      {{"ratio", "ratio", 2}, {"ns_per_task", "ns/task", 0}, {"bytes_per_task", "bytes/task", 0}});
  for (std::size_t round = 0; round < settings.rounds; ++round) {
    const auto pool = measure_timed([&] { return through_pool(tasks); });
    const auto add = [&](const char* name, const Cost& cost) {
      table.add(name, figures(cost, pool, tasks));
    };
    add("Asio thread_pool with futures", pool);
    add("ThreadQueue, submit then run",
        measure_timed([&] { return through_queue(tasks, Workers::started_by_run); }));
    add("ThreadQueue, started",
        measure_timed([&] { return through_queue(tasks, Workers::started_before); }));
#ifdef OSIISO_BENCH_TBB
    add("TBB task_group, values by reference",
        measure_timed([&] { return through_task_group(tasks); }));
#endif
  }
  return table;
}

Table measure_cancels(const LimitSettings& settings, const TemporaryFolder&) {
  Table table("cancels: queued tasks, by two threads that both try each",
              {{"ns_per_task", "ns/task", 0}});
  for (std::size_t round = 0; round < settings.rounds; ++round) {
    for (const std::size_t share : {20U, 10U, 5U, 2U}) {
      const std::size_t tasks = std::max<std::size_t>(settings.functions / share, 1);
      const auto cost = measure_timed([&] { return cancels(tasks); });
      table.add(fmt::format("{} tasks", tasks), {cost.seconds * 1e9 / static_cast<double>(tasks)});
    }
  }
  return table;
}

Table measure_checkpoint(const LimitSettings& settings, const TemporaryFolder& folder) {
  const std::size_t tasks = std::max<std::size_t>(settings.functions / 10, 1);
  Table table(fmt::format("checkpoint: {} functions that do nothing", tasks),
              {{"ns_per_task", "ns/task", 0}});
  for (std::size_t round = 0; round < settings.rounds; ++round) {
    const auto path = folder.file(fmt::format("{}.checkpoint", round));
    for (const bool is_restored : {false, true}) {
      const auto cost = measure_timed([&] { return with_checkpoint(tasks, path, is_restored); });
      table.add(is_restored ? "restored" : "recorded",
                {cost.seconds * 1e9 / static_cast<double>(tasks)});
    }
  }
  return table;
}

}  // namespace bench
