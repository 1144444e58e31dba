// SPDX-License-Identifier: MIT
//
// What a task costs: functions that do nothing through a ThreadQueue and, in the same run, through
// an Asio thread pool with futures and, where it is installed, a TBB task group. Each side runs in
// a child of its own, so that its peak memory is its own; handles, results and futures are kept to
// the end. Then: what a cancel costs as the queue grows, and what it costs to record a success in a
// checkpoint, and to restore it.
//
//     osiiso_bench_library [TASKS [WORKERS]]
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include <asio/post.hpp>
#include <asio/thread_pool.hpp>

#ifdef OSIISO_BENCH_TBB
#include <tbb/task_arena.h>
#include <tbb/task_group.h>
#endif

#include "osiiso/checkpoint.hpp"
#include "osiiso/thread_queue.hpp"

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Cost {
  double nanoseconds = 0;  // a task
  double bytes = 0;        // a task
};

double peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

/// Runs `work` in a child; it returns the seconds that count.
Cost measure(std::size_t tasks, const std::function<double()>& work) {
  int ends[2] = {};
  if (pipe(ends) != 0) std::abort();
  const pid_t child = fork();
  if (child == 0) {
    const double before = peak_bytes();
    const double seconds = work();
    const Cost cost{.nanoseconds = seconds * 1e9 / static_cast<double>(tasks),
                    .bytes = (peak_bytes() - before) / static_cast<double>(tasks)};
    const bool told = write(ends[1], &cost, sizeof cost) == sizeof cost;
    _exit(told ? 0 : 1);
  }
  close(ends[1]);
  Cost cost;
  if (read(ends[0], &cost, sizeof cost) != sizeof cost) {
    std::fputs("a measurement did not finish\n", stderr);
    std::exit(1);
  }
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return cost;
}

double through_queue(std::size_t tasks, int workers) {
  osiiso::ThreadQueue queue({.workers = workers});
  std::vector<osiiso::SyncTaskHandle<int>> handles;
  handles.reserve(tasks);
  const auto start = Clock::now();
  for (std::size_t i = 0; i < tasks; ++i) handles.push_back(queue.submit([] { return 1; }));
  const auto summary = queue.run();
  const double seconds = seconds_since(start);
  if (summary.succeeded != tasks) std::abort();
  return seconds;
}

/// The workers take tasks while they are being submitted, as those of the pool do.
double through_started_queue(std::size_t tasks, int workers) {
  osiiso::ThreadQueue queue({.workers = workers});
  std::vector<osiiso::SyncTaskHandle<int>> handles;
  handles.reserve(tasks);
  const auto start = Clock::now();
  queue.start();
  for (std::size_t i = 0; i < tasks; ++i) handles.push_back(queue.submit([] { return 1; }));
  const auto summary = queue.run();
  const double seconds = seconds_since(start);
  if (summary.succeeded != tasks) std::abort();
  return seconds;
}

double through_pool(std::size_t tasks, int workers) {
  asio::thread_pool pool(static_cast<std::size_t>(workers));
  std::vector<std::future<int>> futures;
  futures.reserve(tasks);
  const auto start = Clock::now();
  for (std::size_t i = 0; i < tasks; ++i) {
    std::packaged_task<int()> task([] { return 1; });
    futures.push_back(task.get_future());
    asio::post(pool, std::move(task));
  }
  pool.join();
  const double seconds = seconds_since(start);
  for (auto& future : futures) {
    if (future.get() != 1) std::abort();
  }
  return seconds;
}

#ifdef OSIISO_BENCH_TBB
/// A task group has no futures: each function writes its value itself.
double through_task_group(std::size_t tasks, int workers) {
  std::vector<int> values(tasks);
  tbb::task_arena arena(workers);
  const auto start = Clock::now();
  arena.execute([&] {
    tbb::task_group group;
    for (auto& value : values) group.run([&value] { value = 1; });
    group.wait();
  });
  const double seconds = seconds_since(start);
  if (std::ranges::count(values, 1) != static_cast<std::ptrdiff_t>(tasks)) std::abort();
  return seconds;
}
#endif

/// Cancels all of the tasks, which are queued, from two threads that both try each.
double cancels(std::size_t tasks) {
  osiiso::ThreadQueue queue({.workers = 1});
  const auto handles = queue.map([](std::size_t) {}, std::vector<std::size_t>(tasks));
  const auto start = Clock::now();
  const auto cancel_all = [&] {
    for (const auto& handle : handles) handle.cancel();
  };
  std::thread other(cancel_all);
  cancel_all();
  other.join();
  return seconds_since(start);
}

/// The second time all of them are restored.
double with_checkpoint(std::size_t tasks, int workers, const std::string& path) {
  std::vector<std::size_t> numbers(tasks);
  std::iota(numbers.begin(), numbers.end(), 0U);
  const auto start = Clock::now();
  osiiso::Checkpoint checkpoint(path);
  osiiso::ThreadQueue queue({.workers = workers});
  queue.map([](std::size_t number) { return number; }, numbers, checkpoint.in("numbers"));
  const auto summary = queue.run();
  const double seconds = seconds_since(start);
  if (summary.succeeded + summary.restored.size() != tasks) std::abort();
  return seconds;
}

void print(const char* what, Cost cost) {
  std::printf("%-36s %7.0f ns a task %7.0f bytes a task\n", what, cost.nanoseconds, cost.bytes);
}

}  // namespace

int main(int count, char** arguments) {
  const std::size_t tasks = count > 1 ? std::strtoul(arguments[1], nullptr, 10) : 1'000'000;
  const int workers = count > 2 ? std::atoi(arguments[2]) : 2;

  std::printf("%zu functions that do nothing, %d workers, handles kept\n", tasks, workers);
  const Cost queue = measure(tasks, [&] { return through_queue(tasks, workers); });
  const Cost started = measure(tasks, [&] { return through_started_queue(tasks, workers); });
  const Cost pool = measure(tasks, [&] { return through_pool(tasks, workers); });
  print("ThreadQueue, submit then run", queue);
  print("ThreadQueue, started", started);
  print("Asio thread_pool with futures", pool);
#ifdef OSIISO_BENCH_TBB
  print("TBB task_group, values by reference",
        measure(tasks, [&] { return through_task_group(tasks, workers); }));
#else
  std::puts("TBB task_group: not built, libtbb-dev is missing");
#endif
  std::printf("ThreadQueue / pool: %.2f (started: %.2f)\n", queue.nanoseconds / pool.nanoseconds,
              started.nanoseconds / pool.nanoseconds);

  std::printf("\ncancelling queued tasks from two threads\n");
  for (const std::size_t some : {50'000U, 100'000U, 200'000U, 400'000U}) {
    const Cost cost = measure(some, [&] { return cancels(some); });
    std::printf("%8zu tasks: %5.0f ns a task\n", some, cost.nanoseconds);
  }

  const std::size_t kept = std::min<std::size_t>(tasks, 100'000);
  const std::string path = "osiiso-bench-" + std::to_string(getpid()) + ".checkpoint";
  std::printf("\n%zu functions with a checkpoint in the current folder\n", kept);
  print("recorded", measure(kept, [&] { return with_checkpoint(kept, workers, path); }));
  print("restored", measure(kept, [&] { return with_checkpoint(kept, workers, path); }));
  unlink(path.c_str());
}
