// SPDX-License-Identifier: MIT
#include "queue/async_loop.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <utility>

#include <asio/post.hpp>

#include "process/command_run.hpp"
#include "process/launch.hpp"

namespace osiiso::queue {
namespace {

AttemptOutcome not_started(const SystemError& why) {
  return failed(std::make_exception_ptr(process::not_started(why)));
}

}  // namespace

AsyncWorkers::Loop::Loop(const asio::any_io_executor& executor)
    : context(asio::query(executor, asio::execution::context)),
      strand(executor),
      alarm(strand),
      child_timer_(strand),
      start_timer_(strand) {}

/// Makes what waits for children when there is the first one. Throws `SystemError`.
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

void AsyncWorkers::Loop::start_child(const RunningPtr& running) {
  starting_.push_back(running);
  if (!patience_) start_waiting();
}

bool AsyncWorkers::Loop::forget_start(const Running& running) {
  const auto place = std::ranges::find(starting_, &running, &RunningPtr::get);
  if (place == starting_.end()) return false;
  starting_.erase(place);
  if (starting_.empty()) {
    patience_.reset();
    start_timer_.cancel();
  }
  return true;
}

/// As many as there is room for. The others are tried again when one that runs has ended, and after
/// a while.
void AsyncWorkers::Loop::start_waiting() {
  for (; !starting_.empty(); starting_.pop_front()) {
    const auto running = starting_.front();
    try {
      auto child = make_child(*running);
      patience_.reset();
      follow(running, std::move(child));
    } catch (const SystemError& error) {
      if (!patience_) patience_.emplace();
      if (const auto next = patience_->next_try(error, base::now())) return try_again_at(*next);
      running->finish(not_started(error));
    } catch (...) {
      running->finish(failed(std::current_exception()));
    }
  }
  patience_.reset();
}

void AsyncWorkers::Loop::try_again_at(Instant at) {
  start_timer_.expires_at(base::timer_instant(at));
  start_timer_.async_wait([loop = shared_from_this()](const asio::error_code& error) {
    if (!error) loop->start_waiting();
  });
}

/// As long as nothing lacks, it is not waited for until the child has executed: `start_again` hears
/// where that failed.
std::unique_ptr<process::ChildRun> AsyncWorkers::Loop::make_child(const Running& running) {
  children();
  const auto& attempt = running.attempt();
  auto launch = std::make_unique<const process::Launch>(*attempt.body.command(), attempt.context,
                                                        launch_pad_);
  return patience_ ? std::make_unique<process::ChildRun>(*launch)
                   : std::make_unique<process::ChildRun>(std::move(launch));
}

void AsyncWorkers::Loop::follow(const RunningPtr& running,
                                std::unique_ptr<process::ChildRun> child) {
  try {
    running->set_child(children_->add(
        std::move(child), [this, running](auto result) { on_end(running, std::move(result)); }));
    watch();
  } catch (const SystemError& error) {
    running->finish(not_started(error));
  }
}

void AsyncWorkers::Loop::on_end(const RunningPtr& running, process::ChildResult result) {
  if (result.not_started) return start_again(running, *result.not_started);
  try {
    auto output =
        process::conclude(std::move(result), running->attempt().body.command()->settings());
    running->finish(succeeded(std::make_shared<const CommandOutput>(std::move(output))));
  } catch (...) {
    running->finish(failed(std::current_exception()));
  }
}

/// After a start that nobody waited for has failed: this time it is waited for. A file that was
/// open for writing may have been so only in another child that had not executed.
void AsyncWorkers::Loop::start_again(const RunningPtr& running, const SystemError& why_not) {
  const bool may_help = process::is_shortage(why_not) || why_not.code() == ETXTBSY;
  if (!may_help) return running->finish(not_started(why_not));
  running->set_child({});
  starting_.push_front(running);
  if (running->attempt().context.stop_state().latest()) return running->stop();
  if (patience_) return;  // its timer runs
  children_->complete_starts(0);
  patience_.emplace();
  start_waiting();
}

void AsyncWorkers::Loop::stop_child(process::ChildSet::Id id, const base::StopRequest& request) {
  children_->stop(id, request, base::now());
  watch();
}

void AsyncWorkers::Loop::step() {
  const auto before = children_->size();
  children_->step(base::now());
  if (patience_ && children_->size() < before) start_waiting();
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
  const auto loop = loop_.lock();
  if (child_) {
    if (loop) loop->stop_child(*child_, *attempt_.context.stop_state().latest());
  } else if (loop && loop->forget_start(*this)) {
    finish(failed(std::make_exception_ptr(process::stopped_before_start())));
  } else {
    signal_.emit(asio::cancellation_type::terminal);
  }
}

}  // namespace osiiso::queue
