// SPDX-License-Identifier: MIT
#include "queue/loop_event.hpp"

#include <utility>

#include <asio/redirect_error.hpp>
#include <asio/system_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

namespace osiiso::queue {

// Lends the event the timer, as long as the frame lives that owns it.
class LoopEvent::Attached {
 public:
  Attached(LoopEvent& event, asio::steady_timer& timer) : event_(event) {
    const std::lock_guard lock(event_.mutex_);
    event_.timer_ = &timer;
  }
  ~Attached() {
    const std::lock_guard lock(event_.mutex_);
    event_.timer_ = nullptr;
  }
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;

 private:
  LoopEvent& event_;
};

void LoopEvent::fire() {
  const std::lock_guard lock(mutex_);
  fired_ = true;
  if (timer_ != nullptr) timer_->cancel();
}

asio::awaitable<bool> LoopEvent::wait(std::shared_ptr<LoopEvent> event, base::Instant deadline) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  const Attached attached(*event, timer);
  asio::error_code error;
  const auto begin = [&](auto handler) {
    const std::lock_guard lock(event->mutex_);
    timer.expires_at(event->fired_ ? base::Instant::min() : base::timer_instant(deadline));
    timer.async_wait(std::move(handler));
  };
  auto token = asio::redirect_error(asio::use_awaitable, error);
  do {
    co_await asio::async_initiate<decltype(token), void(asio::error_code)>(begin, token);
    {
      const std::lock_guard lock(event->mutex_);
      if (event->fired_) co_return true;
    }
    if (error) throw asio::system_error(error);
  } while (base::now() < deadline);
  co_return false;
}

}  // namespace osiiso::queue
