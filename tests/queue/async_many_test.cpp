// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include "osiiso/async_queue.hpp"

#include "support/process_guard.hpp"
#include "support/program.hpp"

namespace {

std::ptrdiff_t thread_count() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                       std::filesystem::directory_iterator());
}

asio::awaitable<void> short_pause() {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, std::chrono::milliseconds(5));
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace

TEST_CASE("5,000 commands run at once on one thread") {
  constexpr std::size_t kCommands = 5000;
  const osiiso::test::ProcessGuard guard;
  const osiiso::test::TemporaryFolder folder;
  const std::string fifo = folder.path() + "/fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const auto before = thread_count();
  osiiso::AsyncQueue queue({.workers = static_cast<int>(kCommands)});
  osiiso::Batch batch;
  const auto options = std::make_shared<const osiiso::TaskOptions>();
  // Each waits until somebody opens the other end.
  for (std::size_t i = 0; i < kCommands; ++i) {
    batch.add("cat", options, osiiso::Command::argv({"cat", fifo}));
  }
  queue.submit(std::move(batch));
  std::size_t most = 0;
  std::ptrdiff_t threads = 0;
  const auto play = [&]() -> asio::awaitable<void> {
    co_await queue.start();
    while (queue.stats().running < kCommands && queue.stats().finished == 0) co_await short_pause();
    most = queue.stats().running;
    threads = thread_count();
    while (queue.stats().outstanding > 0) {
      ::close(::open(fifo.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
      co_await short_pause();
    }
  };
  osiiso::run(play());
  CHECK(most == kCommands);
  CHECK(threads == before);
  const auto summary = osiiso::run(queue.run());
  CHECK(summary.succeeded == static_cast<int>(kCommands));
}
