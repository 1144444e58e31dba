// SPDX-License-Identifier: MIT
//
// What a task costs besides what it does: functions that do nothing. Handles, results and futures
// are kept to the end.
#include <malloc.h>

#include <algorithm>
#include <future>
#include <limits>
#include <optional>
#include <string>
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

/// To have a page from the kernel takes as long as two functions or more. Whoever has had it
/// before, and was not made to give it back, need not ask: what remains is what a queue does by
/// itself.
void take_memory(std::size_t bytes) {
  constexpr int kNever = std::numeric_limits<int>::max();
  const bool is_kept = ::mallopt(M_MMAP_THRESHOLD, kNever) == 1 &&  // given back when it is freed
                       ::mallopt(M_TRIM_THRESHOLD, kNever) == 1;
  if (!is_kept) give_up("mallopt");
  const std::vector<char> memory(bytes, 1);
  if (std::ranges::count(memory, 1) != static_cast<std::ptrdiff_t>(bytes)) give_up("memory");
}

struct Contender {
  const char* name;
  double (*seconds)(std::size_t tasks);
};

constexpr Contender kContenders[] = {
    {"Asio thread_pool with futures", through_pool},
    {"ThreadQueue, submit then run",
     [](std::size_t tasks) { return through_queue(tasks, Workers::started_by_run); }},
    {"ThreadQueue, started",
     [](std::size_t tasks) { return through_queue(tasks, Workers::started_before); }},
#ifdef OSIISO_BENCH_TBB
    {"TBB task_group, by reference", through_task_group},
#endif
};

/// One round, with ratios to the first contender.
void measure_contenders(std::size_t tasks, bool is_memory_at_hand, Table& table) {
  constexpr std::size_t kMostOfATask = 700;
  const auto count = static_cast<double>(tasks);
  const auto prepare = [&] {
    if (is_memory_at_hand) take_memory(tasks * kMostOfATask);
  };
  std::optional<double> first;
  for (const auto& contender : kContenders) {
    const auto cost = measure_timed([&] { return contender.seconds(tasks); }, prepare);
    if (!first) first = cost.seconds;
    const auto name = std::string(contender.name) + (is_memory_at_hand ? ", warm" : "");
    table.add(name, {*first / cost.seconds, cost.seconds * 1e9 / count, cost.grown_bytes / count});
  }
}

}  // namespace

Table measure_functions(const LimitSettings& settings, const TemporaryFolder&) {
  const std::size_t tasks = settings.functions;
  Table table(
      fmt::format("functions: {} that do nothing, two workers, ratios to Asio's pool", tasks),
      {{"ratio", "ratio", 2}, {"ns_per_task", "ns/task", 0}, {"bytes_per_task", "bytes/task", 0}});
  for (std::size_t round = 0; round < settings.rounds; ++round) {
    for (const bool is_memory_at_hand : {false, true}) {
      measure_contenders(tasks, is_memory_at_hand, table);
    }
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
