// SPDX-License-Identifier: MIT
#include "queue/async_loop.hpp"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include <asio/post.hpp>

namespace osiiso::queue {

AsyncWorkers::Loop::Loop(const asio::any_io_executor& executor)
    : context(asio::query(executor, asio::execution::context)),
      strand(executor),
      alarm(strand),
      child_timer_(strand) {}

process::ChildSet& AsyncWorkers::Loop::children() {
  if (!children_) {
    children_.emplace();
    // Asio wants a descriptor that is its own.
    const int own = ::fcntl(children_->descriptor(), F_DUPFD_CLOEXEC, 0);
    if (own < 0) {
      const int error = errno;
      children_.reset();
      throw SystemError("cannot watch commands (fcntl)", error);
    }
    ready_.emplace(strand, own);
  }
  return *children_;
}

void AsyncWorkers::Loop::stop_child(process::ChildSet::Id id, const base::StopRequest& request) {
  children_->stop(id, request, base::now());
  watch();
}

void AsyncWorkers::Loop::step() {
  children_->step(base::now());
  watch();
}

// A loop ends when it waits for nothing: so it waits only while there are children.
void AsyncWorkers::Loop::watch() {
  if (children_->empty()) {
    ready_->cancel();
    child_timer_.cancel();
    child_deadline_.reset();
    return;
  }
  if (!is_watching_) {
    is_watching_ = true;
    ready_->async_wait(asio::posix::descriptor_base::wait_read,
                       [loop = shared_from_this()](const asio::error_code& error) {
                         loop->is_watching_ = false;
                         // Cancelled for there was no child; perhaps there is one again.
                         if (!error || !loop->children_->empty()) loop->step();
                       });
  }
  const auto deadline = children_->deadline();
  if (deadline == child_deadline_) return;
  child_deadline_ = deadline;
  if (!deadline) {
    child_timer_.cancel();
    return;
  }
  child_timer_.expires_at(base::timer_instant(*deadline));
  child_timer_.async_wait([loop = shared_from_this()](const asio::error_code& error) {
    if (error) return;
    loop->child_deadline_.reset();
    loop->step();
  });
}

AsyncWorkers::Running::Running(std::shared_ptr<AsyncWorkers> workers, Attempt attempt, Seat seat)
    : workers_(std::move(workers)), attempt_(std::move(attempt)), seat_(seat) {}

AsyncWorkers::Running::~Running() {
  if (!ended_) finish(failed(std::make_exception_ptr(StateError("the event loop ended"))));
}

void AsyncWorkers::Running::finish(AttemptOutcome outcome) {
  if (std::exchange(ended_, true)) return;
  attempt_.context.stop_state().detach();
  workers_->end(attempt_, std::move(outcome), seat_);
}

void AsyncWorkers::Running::listen(const LoopPtr& loop) {
  loop_ = loop;
  strand_ = loop->strand;
  attempt_.context.stop_state().attach(*this);
}

void AsyncWorkers::Running::wake() noexcept {
  asio::post(*strand_, [running = weak_from_this()] {
    if (const auto live = running.lock()) live->stop();
  });
}

void AsyncWorkers::Running::stop() {
  if (ended_) return;
  if (!child_) {
    signal_.emit(asio::cancellation_type::terminal);
  } else if (const auto loop = loop_.lock()) {
    loop->stop_child(*child_, *attempt_.context.stop_state().latest());
  }
}

}  // namespace osiiso::queue
