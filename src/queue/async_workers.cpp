// SPDX-License-Identifier: MIT
#include "queue/async_workers.hpp"

#include <exception>
#include <utility>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>

#include "osiiso/async_queue.hpp"

#include "process/start_patience.hpp"
#include "queue/async_loop.hpp"

namespace osiiso::queue {
namespace {

// Starting a process takes a while: between so many attempts others have their turn.
constexpr int kStartsAtOnce = 16;

/// Tells workers when the context of their loop goes, while timers can still be destroyed.
class LoopWatch final : public asio::execution_context::service {
 public:
  static asio::execution_context::id id;

  explicit LoopWatch(asio::execution_context& context) : service(context) {}

  void add(std::weak_ptr<AsyncWorkers> workers) {
    const std::lock_guard lock(mutex_);
    std::erase_if(watched_, [](const auto& watched) { return watched.expired(); });
    watched_.push_back(std::move(workers));
  }

 private:
  void shutdown() override {
    std::vector<std::weak_ptr<AsyncWorkers>> watched;
    {
      const std::lock_guard lock(mutex_);
      watched.swap(watched_);
    }
    for (const auto& each : watched) {
      if (const auto workers = each.lock()) workers->detach();
    }
  }

  std::mutex mutex_;
  std::vector<std::weak_ptr<AsyncWorkers>> watched_;
};

asio::execution_context::id LoopWatch::id;

/// Where it fails, all is cancelled, this attempt too.
void initialize(Engine& engine, const Attempt& attempt, bool& is_initialized) {
  if (is_initialized) return;
  const auto& initializer = engine.options().initializer;
  is_initialized = !initializer || engine.make_ready(attempt, initializer);
}

}  // namespace

std::shared_ptr<AsyncWorkers> AsyncWorkers::make(std::shared_ptr<Engine> engine, int limit) {
  std::shared_ptr<AsyncWorkers> workers(new AsyncWorkers(std::move(engine), limit));
  workers->engine_->attach(workers.get());
  workers->engine_->on_over([weak = workers->weak_from_this()] {
    if (const auto live = weak.lock()) live->note_over();
  });
  return workers;
}

AsyncWorkers::AsyncWorkers(std::shared_ptr<Engine> engine, int limit)
    : engine_(std::move(engine)), limit_(limit) {}

AsyncWorkers::~AsyncWorkers() {
  engine_->attach(nullptr);
}

// For those who wait

void AsyncWorkers::start(const asio::any_io_executor& executor) {
  LoopPtr left;  // destroyed without the lock
  const auto made = std::make_shared<Loop>(executor);
  {
    const Engine::Turn turn(*engine_);
    if (loop_ && &loop_->context == &made->context) return;
    if (loop_ && busy_ > 0) throw StateError("tasks of the queue still run in another event loop");
    left = std::exchange(loop_, made);
    wake_posted_ = false;
    timer_posted_ = false;
    alarm_at_.reset();
    gate_.reset();
  }
  asio::use_service<LoopWatch>(made->context).add(weak_from_this());
}

bool AsyncWorkers::is_inside(const asio::any_io_executor& executor) {
  const auto current = loop();
  return current && asio::any_io_executor(current->strand) == executor;
}

asio::awaitable<void> AsyncWorkers::until(std::shared_ptr<AsyncWorkers> self,
                                          std::function<bool()> done) {
  for (;;) {
    auto event = std::make_shared<LoopEvent>();
    {
      const std::lock_guard lock(self->waiting_mutex_);
      self->waiting_.push_back(event);
    }
    if (done()) co_return;
    co_await LoopEvent::wait(std::move(event));
  }
}

void AsyncWorkers::note_over() {
  {
    const std::lock_guard lock(waiting_mutex_);
    for (const auto& event : waiting_) event->fire();
    waiting_.clear();
  }
  // A timer that nobody needs would keep the loop from ending.
  if (!loop_ || !alarm_at_ || engine_->next_due()) return;
  alarm_at_.reset();
  post_timer();
}

void AsyncWorkers::release() {
  threads_.close();
  // Whoever has it last destroys it, with what belongs to the loop: that should be the loop.
  if (const auto current = loop()) asio::post(current->strand, [self = shared_from_this()] {});
}

void AsyncWorkers::detach() {
  LoopPtr left;  // with its children, which report their end: without the lock
  const Engine::Turn turn(*engine_);
  left = std::exchange(loop_, nullptr);
}

AsyncWorkers::LoopPtr AsyncWorkers::loop() {
  const Engine::Turn turn(*engine_);
  return loop_;
}

// For the engine

void AsyncWorkers::wake() {
  if (!loop_ || wake_posted_ || busy_ >= limit_) return;
  if (gate_ && base::now() < *gate_) return;
  auto self = weak_from_this().lock();
  if (!self) return;
  wake_posted_ = true;
  asio::post(loop_->strand, [self = std::move(self)] { self->take(); });
}

void AsyncWorkers::alarm(Instant at) {
  if (!loop_ || (alarm_at_ && *alarm_at_ <= at)) return;
  alarm_at_ = at;
  post_timer();
}

void AsyncWorkers::post_timer() {
  auto self = weak_from_this().lock();
  if (!self || timer_posted_) return;
  timer_posted_ = true;
  asio::post(loop_->strand, [self = std::move(self)] { self->set_timer(); });
}

void AsyncWorkers::replace(int worker) {
  leave_seat({.worker = worker, .turn = seats_[static_cast<std::size_t>(worker)]});
}

AsyncWorkers::Seat AsyncWorkers::take_seat() {
  if (free_.empty()) {
    free_.push(static_cast<int>(seats_.size()));
    seats_.push_back(0);
  }
  const Seat seat{.worker = free_.top(), .turn = ++turns_};
  free_.pop();
  seats_[static_cast<std::size_t>(seat.worker)] = seat.turn;
  ++busy_;
  return seat;
}

void AsyncWorkers::leave_seat(Seat seat) {
  auto& turn = seats_[static_cast<std::size_t>(seat.worker)];
  if (turn != seat.turn) return;  // given up long ago
  turn = 0;
  free_.push(seat.worker);
  --busy_;
}

// On the loop

void AsyncWorkers::take() {
  std::vector<RunningPtr> started;
  {
    Engine::Turn turn(*engine_);
    if (!loop_) return;
    const auto self = shared_from_this();
    wake_posted_ = true;  // lest each step here wakes us again
    for (int i = 0; i < kStartsAtOnce && busy_ < limit_; ++i) {
      const auto next = engine_->next(turn);
      if (const auto* wait = std::get_if<scheduler::Wait>(&next)) {
        if (engine_->startable()) gate_ = wait->until;
        alarm(wait->until);
      }
      const auto* start = std::get_if<scheduler::Start>(&next);
      if (start == nullptr) break;
      const auto seat = take_seat();
      auto attempt = engine_->start(*start, seat.worker, turn);
      started.push_back(std::make_shared<Running>(self, std::move(attempt), seat));
    }
    wake_posted_ = false;
  }
  for (const auto& running : started) announce(running);
}

void AsyncWorkers::ring() {
  {
    Engine::Turn turn(*engine_);
    alarm_at_.reset();
    gate_.reset();
    engine_->tick(turn);
  }
  take();
}

void AsyncWorkers::set_timer() {
  std::optional<Instant> at;
  LoopPtr current;
  {
    const Engine::Turn turn(*engine_);
    timer_posted_ = false;
    at = alarm_at_;
    current = loop_;
  }
  if (!current) return;
  if (!at) {
    current->alarm.cancel();
    return;
  }
  current->alarm.expires_at(base::timer_instant(*at));
  current->alarm.async_wait([self = shared_from_this()](const asio::error_code& error) {
    if (!error) self->ring();
  });
}

void AsyncWorkers::announce(const RunningPtr& running) {
  if (!engine_->options().hooks.on_start) return launch(loop(), running);
  // Whoever calls the hooks may be another thread.
  engine_->announce(running->attempt(), [self = shared_from_this(), running] {
    if (const auto current = self->loop()) {
      asio::post(current->strand, [self, current, running] { self->launch(current, running); });
    }
  });
}

void AsyncWorkers::launch(const LoopPtr& current, const RunningPtr& running) {
  if (!current) return;
  const auto& body = running->attempt().body;
  const auto* coroutine = body.target<detail::CoroutineCall>();
  try {
    if (body.command() == nullptr && coroutine == nullptr) return call(running);
    initialize(*engine_, running->attempt(), current->is_initialized);
    if (!current->is_initialized) return running->finish({});
    running->listen(current);
    if (coroutine != nullptr) {
      spawn(current, running);
    } else {
      start_command(current, running);
    }
  } catch (...) {
    running->finish(failed(std::current_exception()));
  }
}

void AsyncWorkers::call(const RunningPtr& running) {
  const auto outcome = std::make_shared<AttemptOutcome>();
  threads_.run({.call =
                    [running, outcome, engine = engine_](bool& is_initialized) {
                      const auto& attempt = running->attempt();
                      initialize(*engine, attempt, is_initialized);
                      if (is_initialized) *outcome = execute(attempt.body, attempt.context);
                    },
                .report = [running, outcome] { running->finish(std::move(*outcome)); }});
}

namespace {

template <typename Running>
asio::awaitable<void> drive(std::shared_ptr<Running> running) {
  const auto& attempt = running->attempt();
  AttemptOutcome outcome;
  try {
    auto coroutine = attempt.body.template target<detail::CoroutineCall>()->start(attempt.context);
    outcome = succeeded(co_await std::move(coroutine));
  } catch (...) {
    outcome = failed(std::current_exception());
  }
  running->finish(std::move(outcome));
}

}  // namespace

void AsyncWorkers::spawn(const LoopPtr& current, const RunningPtr& running) {
  asio::co_spawn(
      current->strand, drive(running),
      asio::bind_cancellation_slot(running->slot(), [running](const std::exception_ptr&) {}));
}

void AsyncWorkers::start_command(const LoopPtr& current, const RunningPtr& running) {
  if (running->attempt().context.stop_state().latest()) throw process::stopped_before_start();
  current->start_child(running);
}

void AsyncWorkers::end(Attempt& attempt, AttemptOutcome outcome, Seat seat) {
  engine_->record(attempt, outcome);
  Engine::Turn turn(*engine_);
  leave_seat(seat);
  engine_->end(attempt, std::move(outcome), turn);
}

}  // namespace osiiso::queue
