// SPDX-License-Identifier: MIT
//
// The async queue: coroutines and commands in one event loop.
#include <iostream>
#include <string>
#include <vector>

#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>

#include <osiiso/async_queue.hpp>
#include <osiiso/osiiso.hpp>

using namespace std::chrono_literals;

namespace {

asio::awaitable<std::string> fetch(std::string url) {
  asio::steady_timer answer(co_await asio::this_coro::executor, 5ms * url.size());
  co_await answer.async_wait(asio::use_awaitable);
  co_return "page of " + url;
}

asio::awaitable<int> run() {
  osiiso::AsyncQueue queue({.workers = 4});

  // Await one task ...
  auto page =
      queue.submit({.name = "page", .retries = 3}, fetch, std::string("https://example.com"));
  co_await queue.start();
  const osiiso::ResultPtr result = co_await page.wait();
  std::cout << result->name << ": " << page.value() << '\n';

  // ... or several as they complete, fastest first ...
  const auto handles = queue.map(fetch, std::vector<std::string>{"slowest", "slow", "x"});
  auto completed = osiiso::AsyncQueue::as_completed(handles, 30s);
  while (auto handle = co_await completed.next()) std::cout << handle->value() << '\n';

  // ... or a group, then the run.
  auto api = queue.group({.group_id = "api"}, fetch, std::vector<std::string>{"users", "posts"});
  auto listing = queue.submit(osiiso::Command::shell("echo listed"));
  const osiiso::RunSummary summary = co_await queue.run();
  summary.display(std::cout);
  const osiiso::RunSummary group_summary = co_await api.wait();
  std::cout << api.group_id() << ": " << group_summary.succeeded << " of " << api.size() << '\n';
  const auto pages = api.values();
  std::cout << pages.at(1) << ", " << listing.value().stdout_text;

  co_await queue.shutdown();
  co_return summary.ok() ? 0 : 1;
}

}  // namespace

int main() {
  return osiiso::run(run());
}
