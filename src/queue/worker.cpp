// SPDX-License-Identifier: MIT
#include "queue/worker.hpp"

#include <cxxabi.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <span>
#include <string>
#include <typeinfo>
#include <utility>

#include "base/poll.hpp"
#include "base/signals.hpp"
#include "base/thread.hpp"
#include "process/kept_groups.hpp"
#include "process/offspring.hpp"
#include "queue/image.hpp"
#include "queue/remote_entry.hpp"

namespace osiiso::queue {
namespace {

using namespace std::chrono_literals;

// How long a task may take to end when the queue is gone: a command's processes are killed and
// waited for, a function can only be asked.
constexpr Duration kLastGrace = 3s;

// More tasks than one at a time are sent by no queue.
constexpr std::size_t kMostTasks = 16;

base::Descriptor open_parent() {
  return base::Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, ::getppid(), 0)));
}

std::string readable_name(const std::type_info* type) {
  if (type == nullptr) return "unknown";
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(type->name(), nullptr, nullptr, &status), &std::free);
  return name ? name.get() : type->name();
}

/// The exception that is being handled.
ThrownMessage current_thrown() {
  ThrownMessage thrown{readable_name(abi::__cxa_current_exception_type()), "unknown exception"};
  try {
    throw;
  } catch (const std::exception& error) {
    thrown.what = error.what();
  } catch (...) {  // NOLINT(bugprone-empty-catch): it has no text
  }
  return thrown;
}

/// Ends this process and whatever its functions left in its group.
[[noreturn]] void die() {
  if (::getpgrp() == ::getpid()) ::kill(0, SIGKILL);
  std::_Exit(EXIT_FAILURE);
}

/// A thread that no signal handler of the program's runs on.
template <typename Body>
std::thread quiet_thread(Body body) {
  const base::SignalsBlocked blocked;
  return base::start_thread("the thread that listens", std::move(body));
}

}  // namespace

Worker::Worker(base::Descriptor socket, bool watch_parent)
    : socket_(std::move(socket)), inbox_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!inbox_) throw SystemError("cannot watch the socket of the worker process", errno);
  if (watch_parent) parent_ = open_parent();
  for (const auto* watched : std::array<const base::Descriptor*, 2>{&socket_, &parent_}) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = watched->get()}};
    if (*watched && ::epoll_ctl(inbox_.get(), EPOLL_CTL_ADD, watched->get(), &event) != 0) {
      throw SystemError("cannot watch the socket of the worker process", errno);
    }
  }
}

int Worker::serve() {
  send(encode(HelloMessage{build_id(), ::getpid()}));
  if (set_up()) {
    while (const auto task = next_task()) {
      // The queue starts another worker, as soon as there is room for one that can listen.
      if (!can_run(*task)) return EXIT_FAILURE;
      send(encode(StartedMessage{task->message.number}));
      auto done = run(*task);
      // What the function printed stands before what comes after it.
      std::fflush(nullptr);
      finish_task();
      try {
        send(encode(done));
      } catch (const ProtocolError&) {
        done.outcome = current_thrown();
        send(encode(done));
      }
    }
  }
  process::stop_kept(run_id_, grace_);
  ::shutdown(socket_.get(), SHUT_RDWR);
  if (listener_.joinable()) listener_.join();
  const std::lock_guard lock(mutex_);
  if (was_dismissed_) return EXIT_SUCCESS;
  std::fflush(nullptr);
  die();
}

// Listening

/// Waits for something to be said. Returns false when the connection has ended.
bool Worker::hear() {
  std::array<std::uint8_t, 64UL * 1024> piece;
  try {
    if (!wait_for_bytes()) return false;
    const auto size = ::recv(socket_.get(), piece.data(), piece.size(), 0);
    if (size < 0 && errno == EINTR) return true;
    if (size <= 0) return false;
    reader_.add(std::span(piece).first(static_cast<std::size_t>(size)));
    while (const auto frame = reader_.next()) receive(*frame);
    return true;
  } catch (const Error&) {
    return false;  // what does not speak the protocol is as good as gone
  }
}

void Worker::listen() {
  while (hear()) {
  }
  note_end();
  wait_for_end();
}

// Nobody else listens, so nobody else changes `is_over_`.
int Worker::descriptor() const {
  return is_over_ ? -1 : inbox_.get();
}

std::optional<base::StopRequest> Worker::take() {
  if (!hear()) {
    note_end();
    bound_end();
  }
  const std::lock_guard lock(mutex_);
  return tasks_.empty() ? std::nullopt : tasks_.front().stop->latest();
}

/// Of a command whose queue is gone: one of another user cannot be killed.
void Worker::bound_end() {
  try {
    listener_ = quiet_thread([this] { wait_for_end(); });
  } catch (const SystemError&) {
    die();
  }
}

/// What is busy for longer dies with the process.
void Worker::wait_for_end() {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, kLastGrace, [this] { return !is_busy_; })) die();
}

/// Before what does not listen itself. Throws `SystemError`.
void Worker::have_listener() {
  if (!listener_.joinable()) listener_ = quiet_thread([this] { listen(); });
}

bool Worker::can_run(const Task& task) {
  if (std::holds_alternative<Command>(task.message.body)) return true;
  try {
    have_listener();
    return true;
  } catch (const SystemError&) {
    return false;
  }
}

/// Returns when `holds` does, which what is heard brings about.
template <typename Holds>
void Worker::await(std::unique_lock<std::mutex>& lock, Holds holds) {
  if (listener_.joinable()) return changed_.wait(lock, holds);
  while (!holds()) {
    lock.unlock();
    if (!hear()) note_end();
    lock.lock();
  }
}

bool Worker::wait_for_bytes() const {
  for (;;) {
    std::array<pollfd, 2> waited{{{socket_.get(), POLLIN, 0}, {parent_.get(), POLLIN, 0}}};
    base::poll_until(waited, {});
    if (waited[1].revents != 0) return false;
    if (waited[0].revents != 0) return true;
  }
}

void Worker::receive(const Frame& frame) {
  const std::lock_guard lock(mutex_);
  if (frame.type == FrameType::setup) {
    setup_ = decode<SetupMessage>(frame);
  } else if (frame.type == FrameType::stop) {
    const auto message = decode<StopMessage>(frame);
    if (!tasks_.empty() && tasks_.front().message.number == message.number) {
      tasks_.front().stop->request({.signal = message.signal, .grace = message.grace});
    }
  } else if (frame.type == FrameType::bye) {
    was_dismissed_ = true;
    is_over_ = true;
  } else if (tasks_.size() < kMostTasks) {
    tasks_.push_back({decode<TaskMessage>(frame), std::make_shared<base::StopState>()});
  } else {
    throw ProtocolError("too many tasks at the same time");
  }
  changed_.notify_all();
}

void Worker::note_end() {
  std::shared_ptr<base::StopState> stop;
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
    if (!tasks_.empty()) stop = tasks_.front().stop;
    changed_.notify_all();
  }
  if (stop) stop->request({.signal = SIGKILL, .grace = Duration{0}});
}

// Serving

bool Worker::set_up() {
  SetupMessage setup;
  {
    std::unique_lock lock(mutex_);
    await(lock, [this] { return setup_ || is_over_; });
    if (!setup_) return false;
    setup = *setup_;
    is_busy_ = true;
  }
  grace_ = setup.grace;
  if (setup.needs_listener) {
    try {
      have_listener();
    } catch (const SystemError& failed) {
      send(encode(UnreadyMessage{.thrown = {}, .lack = failed.code()}));
      return false;
    }
  }
  if (setup.owns_orphans) ::prctl(PR_SET_CHILD_SUBREAPER, 1L);
  if (setup.claims_strays) process::claim_strays();
  try {
    if (setup.initializer != 0) {
      // NOLINTNEXTLINE(performance-no-int-to-ptr): an address in the program's code
      reinterpret_cast<void (*)()>(image_address(setup.initializer))();
    }
  } catch (...) {
    send(encode(UnreadyMessage{current_thrown()}));
    const std::lock_guard lock(mutex_);
    is_busy_ = false;
    return false;
  }
  {
    const std::lock_guard lock(mutex_);
    is_busy_ = false;
  }
  send(encode(ReadyMessage{}));
  return true;
}

std::optional<Worker::Task> Worker::next_task() {
  std::unique_lock lock(mutex_);
  await(lock, [this] { return !tasks_.empty() || is_over_; });
  if (is_over_) return {};
  is_busy_ = true;
  return tasks_.front();
}

void Worker::finish_task() {
  const std::lock_guard lock(mutex_);
  tasks_.pop_front();
  is_busy_ = false;
  changed_.notify_all();
}

DoneMessage Worker::run(const Task& task) {
  DoneMessage done;
  done.number = task.message.number;
  run_id_ = task.message.identity.run_id;
  const auto hooks = hooks_of(task.message);
  TaskContext context(task.message.identity, task.stop);
  context.with_hooks(&hooks);
  try {
    if (const auto* command = std::get_if<Command>(&task.message.body)) {
      const auto leak = command->settings().leak;
      done.keeps_processes = leak == Leak::keep;
      done.outcome = listener_.joinable() ? commands_.run(*command, context)
                                          : commands_.run(*command, context, *this);
    } else {
      const auto& call = std::get<CallMessage>(task.message.body);
      done.outcome = call_remote(call.entry, call.function, call.arguments, context);
    }
  } catch (const CommandError& error) {
    if (std::holds_alternative<Command>(task.message.body)) {
      done.outcome = CommandFailure{error.what(), error.cause(), error.output()};
    } else {
      done.outcome = current_thrown();
    }
  } catch (...) {
    done.outcome = current_thrown();
  }
  return done;
}

CommandHooks Worker::hooks_of(const TaskMessage& message) {
  CommandHooks hooks;
  if (message.tells_spawn) {
    hooks.on_spawn = [this, number = message.number](const TaskContext&, int pid) {
      send(encode(SpawnedMessage{number, pid}));
    };
  }
  if (message.tells_output) {
    hooks.on_output = [this, number = message.number](const TaskContext&, OutputStream stream,
                                                      std::string_view bytes) {
      send(encode(OutputMessage{number, stream, std::string(bytes)}));
    };
  }
  return hooks;
}

/// False: the queue's process is gone, though somebody else may hold its end of the connection.
bool Worker::wait_for_room() const {
  std::array<pollfd, 2> waited{{{socket_.get(), POLLOUT, 0}, {parent_.get(), POLLIN, 0}}};
  base::poll_until(waited, {});
  return waited[1].revents == 0;
}

void Worker::send(const Frame& frame) {
  Bytes bytes;
  append_frame(bytes, frame);
  for (std::span<const std::uint8_t> rest = bytes; !rest.empty();) {
    const auto size = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN && wait_for_room()) continue;
    if (size < 0) return;  // whoever listens hears of it, too
    rest = rest.subspan(static_cast<std::size_t>(size));
  }
}

}  // namespace osiiso::queue
