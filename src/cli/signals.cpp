// SPDX-License-Identifier: MIT
#include "cli/signals.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "osiiso/error.hpp"

#include "base/clock.hpp"

namespace osiiso::cli {
namespace {

sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  struct sigaction hangup {};
  ::sigaction(SIGHUP, nullptr, &hangup);
  if (hangup.sa_handler != SIG_IGN) sigaddset(&set, SIGHUP);
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
  const auto set = ending_signals();
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  // Where it is ignored, the kernel reaps children itself and their exit statuses are lost.
  std::signal(SIGCHLD, SIG_DFL);
  std::signal(SIGPIPE, SIG_IGN);
  // A file that may not grow is an error of write(2), too.
  std::signal(SIGXFSZ, SIG_IGN);
}

void block_ending_signals() {
  const auto set = ending_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

SignalWatch::SignalWatch(Reactions reactions)
    : reactions_(std::move(reactions)), done_(base::make_eventfd()) {
  const auto set = ending_signals();
  signals_ = base::Descriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) throw SystemError("cannot make a signalfd", errno);
  thread_ = std::thread([this] { listen(); });
}

SignalWatch::~SignalWatch() {
  finish();
}

std::optional<int> SignalWatch::finish() {
  if (thread_.joinable()) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(done_.get(), &one, sizeof one);
    thread_.join();
  }
  return first_;
}

void SignalWatch::listen() {
  base::Instant patience_ends = kNever;
  for (;;) {
    std::array<pollfd, 2> sources{{{.fd = done_.get(), .events = POLLIN, .revents = 0},
                                   {.fd = signals_.get(), .events = POLLIN, .revents = 0}}};
    const int count = ::poll(sources.data(), sources.size(), poll_timeout(patience_ends));
    if (sources[0].revents != 0) return;
    if (count == 0) {
      patience_ends = kNever;
      reactions_.again();
    }
    signalfd_siginfo heard{};
    while (::read(signals_.get(), &heard, sizeof heard) == sizeof heard) {
      if (first_) {
        reactions_.again();
        continue;
      }
      first_ = static_cast<int>(heard.ssi_signo);
      if (reactions_.patience) {
        patience_ends = base::saturating_add(base::now(), *reactions_.patience);
      }
      reactions_.first(*first_);
    }
  }
}

void die_of(int signal) {
  std::signal(signal, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  ::raise(signal);
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  std::_Exit(128 + signal);
}

}  // namespace osiiso::cli
