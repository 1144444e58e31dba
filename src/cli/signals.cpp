// SPDX-License-Identifier: MIT
#include "cli/signals.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "osiiso/error.hpp"
#include "osiiso/own_process.hpp"

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "base/signals.hpp"
#include "base/thread.hpp"
#include "cli/console.hpp"

namespace osiiso::cli {
namespace {

using namespace std::chrono_literals;

constexpr Duration kEcho = 100ms;

bool is_ignored(int signal) {
  struct sigaction action {};
  ::sigaction(signal, nullptr, &action);
  return action.sa_handler == SIG_IGN;
}

sigset_t heard_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) sigaddset(&set, signal);
  for (const int signal : {SIGHUP, SIGTSTP}) {
    if (!is_ignored(signal)) sigaddset(&set, signal);
  }
  return set;
}

constexpr base::Instant kNever = base::Instant::max();

/// Milliseconds for poll(2) until `at`, rounded up.
int poll_timeout(base::Instant at) {
  if (at == kNever) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(at - base::now()).count();
  return static_cast<int>(std::max<std::int64_t>(left, 0));
}

}  // namespace

void set_dispositions() {
  // A caller that had SIGINT ignored or these signals blocked still gets a run that can be ended.
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  const auto set = heard_signals();
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  // Where it is ignored, the kernel reaps children itself and their exit statuses are lost.
  std::signal(SIGCHLD, SIG_DFL);
  std::signal(SIGPIPE, SIG_IGN);
  // A file that may not grow is an error of write(2), too.
  std::signal(SIGXFSZ, SIG_IGN);
  // A question that comes too early or too late is no reason to die.
  std::signal(SIGUSR1, SIG_IGN);
}

void block_heard_signals() {
  const auto set = heard_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

/// The thread that listens for whatever watch there is. It lives as long as the process: one for
/// each watch takes a good part of a short run to start and to end.
class Listener {
 public:
  /// Throws `SystemError`. Never destroyed, for the thread is not ended.
  static Listener& instance() {
    static Listener* const only = new Listener;
    return *only;
  }

  void begin(SignalWatch& watch) {
    {
      const std::lock_guard lock(mutex_);
      assert(watch_ == nullptr);
      watch_ = &watch;
    }
    base::wake(changed_);
  }

  /// Not while a reaction is under way.
  void end(SignalWatch& watch) {
    const std::lock_guard lock(mutex_);
    if (watch_ == &watch) watch_ = nullptr;
  }

 private:
  Listener() : changed_(base::make_eventfd()) {
    const auto set = heard_signals();
    signals_ = base::Descriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals_) throw SystemError("cannot make a signalfd", errno);
    base::start_thread("the thread that listens for signals", [this] { listen(); }).detach();
  }

  void listen() {
    for (;;) {
      wait_for_signal();
      const std::lock_guard lock(mutex_);
      if (watch_ == nullptr) continue;
      watch_->do_what_is_due();
      signalfd_siginfo heard{};
      while (::read(signals_.get(), &heard, sizeof heard) == sizeof heard) {
        watch_->hear(static_cast<int>(heard.ssi_signo));
      }
    }
  }

  /// Or for another watch. Without one, signals stay pending.
  void wait_for_signal() {
    base::Instant until = kNever;
    bool is_watched = false;
    {
      const std::lock_guard lock(mutex_);
      is_watched = watch_ != nullptr;
      if (is_watched) until = watch_->next_due();
    }
    std::array<pollfd, 2> sources{
        {{.fd = changed_.get(), .events = POLLIN, .revents = 0},
         {.fd = is_watched ? signals_.get() : -1, .events = POLLIN, .revents = 0}}};
    ::poll(sources.data(), sources.size(), poll_timeout(until));
    eventfd_t ignored = 0;
    ::eventfd_read(changed_.get(), &ignored);
  }

  base::Descriptor changed_;
  base::Descriptor signals_;
  std::mutex mutex_;  // held during a reaction
  SignalWatch* watch_ = nullptr;
};

SignalWatch::SignalWatch(Reactions reactions) : reactions_(std::move(reactions)) {
  if (reactions_.later) later_at_ = base::saturating_add(base::now(), reactions_.after);
  Listener::instance().begin(*this);
}

SignalWatch::~SignalWatch() {
  finish();
}

std::optional<int> SignalWatch::finish() {
  Listener::instance().end(*this);
  return first_;
}

void SignalWatch::do_what_is_due() {
  const auto now = base::now();
  if (later_at_ <= now) {
    later_at_ = kNever;
    reactions_.later();
  }
  if (patience_ends_ <= now) {
    patience_ends_ = kNever;
    reactions_.again();
  }
}

void SignalWatch::hear(int signal) {
  if (signal == SIGTSTP) {
    console().stop_drawing();
    suspend();
    return console().go_on_drawing();
  }
  if (is_an_echo(signal)) return;
  if (signal == SIGUSR1) {
    if (reactions_.status) reactions_.status();
  } else if (first_) {
    reactions_.again();
  } else {
    first_ = signal;
    if (reactions_.patience) {
      patience_ends_ = base::saturating_add(base::now(), *reactions_.patience);
    }
    reactions_.first(signal);
  }
}

bool SignalWatch::is_an_echo(int signal) {
  const auto now = base::now();
  if (last_ && last_->signal == signal && now - last_->at < kEcho) return true;
  last_ = Heard{signal, now};
  return false;
}

void die_of(int signal) {
  base::suffer(signal);
  std::_Exit(128 + signal);
}

}  // namespace osiiso::cli
