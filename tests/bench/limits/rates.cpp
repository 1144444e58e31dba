// SPDX-License-Identifier: MIT
#include <algorithm>
#include <atomic>
#include <chrono>
#include <type_traits>

#include <fmt/format.h>

#include "bench/limits/finish.hpp"
#include "bench/limits/limits.hpp"
#include "bench/measure.hpp"

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kSeconds = 2;

template <typename Queue>
void submit_noop(Queue& queue) {
  if constexpr (std::is_same_v<Queue, osiiso::AsyncQueue>) {
    queue.submit([]() -> asio::awaitable<void> { co_return; });
  } else {
    queue.submit([] {});
  }
}

/// Starts a second between the first one and the last one.
template <typename Queue>
double measure_rate(double rate) {
  const auto tasks = static_cast<std::size_t>(rate * kSeconds);
  std::vector<Clock::time_point> starts(tasks);
  std::atomic<std::size_t> next = 0;
  osiiso::QueueOptions options{.workers = 2, .rate = rate};
  options.hooks.on_start = [&](const osiiso::HookTask&) { starts.at(next++) = Clock::now(); };
  Queue queue(options);
  for (std::size_t i = 0; i < tasks; ++i) submit_noop(queue);
  if (!finish(queue).ok()) give_up("a function that does nothing");
  const auto [first, last] = std::ranges::minmax(starts);
  return static_cast<double>(tasks - 1) / std::chrono::duration<double>(last - first).count();
}

}  // namespace

Table measure_rates(const LimitSettings& settings, const TemporaryFolder&) {
  Table table("rates: functions that do nothing, two workers",
              {{"ratio", "of asked", 4}, {"starts_per_second", "starts/s", 2}});
  for (std::size_t round = 0; round < settings.rounds; ++round) {
    with_each_queue([&]<typename Queue>(const std::string& name) {
      for (const double rate : {10.0, 100.0, 1000.0, 10'000.0}) {
        const double measured = measure_rate<Queue>(rate);
        table.add(fmt::format("{}, rate {}", name, rate), {measured / rate, measured});
      }
    });
  }
  return table;
}

}  // namespace bench
