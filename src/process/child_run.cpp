// SPDX-License-Identifier: MIT
#include "process/child_run.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <utility>

#include "base/text.hpp"
#include "process/kept_groups.hpp"

namespace osiiso::process {
namespace {

using namespace std::chrono_literals;

// Nothing wakes us when those end that a child leaves behind. They are looked for, the more seldom
// the longer they take: only a child that leaves some pays. (Their number in the group cannot be
// asked of kill(-group, 0): the zombie counts, too.)
constexpr Duration kFirstLook = 1ms;
constexpr Duration kLongestLook = 100ms;

constexpr std::size_t kPipeCapacity = 64UL * 1024;

Duration duration_of(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

base::Pipe make_output_pipe() {
  base::Pipe pipe = base::make_pipe();
  // Of our end only: the write end is the child's stdout, and programs cope badly with EAGAIN.
  if (::fcntl(pipe.read_end.get(), F_SETFL, O_NONBLOCK) != 0) {
    throw SystemError("cannot make a pipe non-blocking", errno);
  }
  return pipe;
}

}  // namespace

ChildRun::ChildRun(const Launch& launch) : ChildRun(launch, spawn) {}

// Who is told of a command is told of one that runs.
ChildRun::ChildRun(std::unique_ptr<const Launch> launch)
    : ChildRun(*launch, launch->context().is_spawn_heard() ? spawn : begin_spawn) {
  launch_ = std::move(launch);
}

// Our copies of the write ends stay open while the child lives: without an end of file to report,
// a command that prints nothing wakes us once, when it exits.
ChildRun::ChildRun(const Launch& launch, Spawn& spawn)
    : leak_(launch.leak()),
      grace_(launch.grace()),
      run_id_(launch.run_id()),
      context_(launch.context()),
      stdout_{OutputStream::out, make_output_pipe(), {}},
      stderr_{OutputStream::err, make_output_pipe(), {}},
      child_(spawn(launch.request(), stdout_.pipe.write_end.get(), stderr_.pipe.write_end.get())),
      stands_for_shell_(launch.does_without_shell() && !child_.is_fallback),
      processes_(std::make_unique<TaskProcesses>(child_.pid, launch.mark())) {
  context_.tell_spawn(child_.pid);
}

ChildRun::~ChildRun() {
  abandon(base::now());
}

void ChildRun::complete_start() {
  const auto launch = std::exchange(launch_, nullptr);
  if (!launch) return;
  try {
    complete(child_, launch->request());
    stands_for_shell_ = launch->does_without_shell() && !child_.is_fallback;
  } catch (const SpawnError& failed) {
    result_.not_started = failed;
    phase_ = Phase::done;
  }
}

void ChildRun::abandon(base::Instant now) {
  complete_start();
  if (done()) return;
  if (owns_orphans()) Stopper::kill(processes_->others(now));
  signal_group(SIGKILL);
  reap(child_);
  phase_ = Phase::done;
}

void ChildRun::on_readable(int descriptor, base::Instant now) {
  if (descriptor < 0 || done()) return;
  if (descriptor == stdout_descriptor()) {
    read_or_close(stdout_);
  } else if (descriptor == stderr_descriptor()) {
    read_or_close(stderr_);
  } else if (descriptor == exit_descriptor()) {
    on_exit(now);
  }
}

std::optional<base::Instant> ChildRun::deadline() const {
  if (phase_ == Phase::running || phase_ == Phase::done) return {};
  auto next = std::min(kill_at_, look_at_);
  if (phase_ == Phase::lingering) next = std::min(next, give_up_at_);
  return next == base::Instant::max() ? std::nullopt : std::optional(next);
}

void ChildRun::on_deadline(base::Instant now) {
  if (phase_ == Phase::running || phase_ == Phase::done) return;
  if (phase_ == Phase::lingering && !result_.stopped) leave_out_pause(now);
  if (kill_at_ <= now) begin_to_kill(now);
  if (phase_ != Phase::lingering) {
    if (look_at_ <= now) reach_all(now);
  } else if (look_at_ <= now || give_up_at_ <= now) {
    linger(now);
  }
}

void ChildRun::stop(const base::StopRequest& request, base::Instant now) {
  complete_start();
  if (done()) return;
  const bool is_first = !std::exchange(result_.stopped, true);
  if (!is_killing()) kill_at_ = std::min(kill_at_, base::saturating_add(now, request.grace));
  if (kill_at_ <= now) return begin_to_kill(now);
  if (!is_first) return;
  signal_ = request.signal;
  begin_to_stop(base::saturating_add(now, kFirstLook));
}

void ChildRun::begin_to_kill(base::Instant now) {
  kill_at_ = base::Instant::max();
  give_up_at_ = base::saturating_add(now, kUnkillable);
  look_again_after_ = kFirstLook;
  begin_to_stop(now);
  if (phase_ == Phase::stopping) phase_ = Phase::killed;
}

// What has left the group is looked for first: as soon as the child is gone nobody may know any
// more whose it was. All who are stopped at the same time share one look, so this may not be the
// moment.
void ChildRun::begin_to_stop(base::Instant look_at) {
  if (phase_ == Phase::running) phase_ = Phase::stopping;
  if (owns_orphans()) {
    look_at_ = look_at;
  } else {
    signal_all({});
    if (phase_ == Phase::lingering) look_at_ = look_at;
  }
}

ChildResult ChildRun::take_result() {
  assert(done());
  return std::move(result_);
}

void ChildRun::on_exit(base::Instant now) {
  complete_start();
  if (done() || !learn_status()) return;
  if (result_.status_lost) return finish();

  if (result_.stopped) {
    phase_ = Phase::lingering;
    look_again_after_ = kFirstLook;
    if (owns_orphans()) return linger(now);
    // It takes a look at all processes: one for those that end at the same time.
    look_at_ = base::saturating_add(now, kFirstLook);
    return;
  }
  const auto left = left_behind(now);
  if (left.empty()) return finish();
  leak_ == Leak::keep ? keep_processes() : stop_leaked(now, left);
}

/// By a child that has exited of itself.
std::vector<ListedProcess> ChildRun::left_behind(base::Instant now) {
  const bool is_asked = owns_orphans() ? processes_->has_orphans(now) : leak_ != Leak::kill;
  return is_asked ? processes_->others(now) : std::vector<ListedProcess>();
}

void ChildRun::stop_leaked(base::Instant now, const std::vector<ListedProcess>& leaked) {
  result_.output.leaked = describe(leaked);
  if (!owns_orphans()) return finish();
  for (Stream* const stream : {&stdout_, &stderr_}) {
    read_rest(*stream);
    stream->is_dropped = true;
  }
  phase_ = Phase::lingering;
  look_again_after_ = kFirstLook;
  look_at_ = now;
  kill_at_ = base::saturating_add(now, grace_);
  on_deadline(now);
}

/// While the child has not exited.
void ChildRun::reach_all(base::Instant now) {
  look_at_ = base::Instant::max();
  signal_all(processes_->others(now));
}

/// Whoever looks late was paused, which the clock of a worker process does not know: it stops with
/// the tasks. How long the grace of a stop request lasts, its queue says.
void ChildRun::leave_out_pause(base::Instant now) {
  if (look_at_ < now) kill_at_ = base::saturating_add(kill_at_, now - look_at_);
}

void ChildRun::linger(base::Instant now) {
  if (give_up_at_ <= now) return finish();
  const bool owned = owns_orphans();
  if (owned && !processes_->has_orphans(now)) return finish();
  auto others = processes_->others(now);
  if (!owned && others.empty()) return finish();
  signal_all(std::move(others));
  look_at_ = base::saturating_add(now, look_again_after_);
  look_again_after_ = std::min(2 * look_again_after_, kLongestLook);
}

/// `others`: those that may have left the group, or come into it since it was signalled.
void ChildRun::signal_all(std::vector<ListedProcess> others) {
  if (is_killing()) {
    signal_group(SIGKILL);
    return Stopper::kill(others);
  }
  if (!std::exchange(group_is_asked_, true)) {
    signal_group(signal_);
    // Who is stopped (SIGSTOP, a debugger left behind) hears nothing until continued.
    signal_group(SIGCONT);
  }
  std::erase_if(others, [this](const ListedProcess& one) {
    return one.group == pid() || processes_->is_supervised(one);
  });
  stopper_.ask(others, signal_);
}

void ChildRun::keep_processes() {
  read_rest(stdout_);
  read_rest(stderr_);
  stdout_.pipe.write_end.reset();
  stderr_.pipe.write_end.reset();
  keep(run_id_, {std::move(child_), std::move(processes_)}, std::move(stdout_.pipe.read_end),
       std::move(stderr_.pipe.read_end));
  finish();
}

void ChildRun::finish() {
  // Ours still, neither kept nor reaped by somebody else: then its number names our group.
  const bool is_ours = child_.pidfd && !result_.status_lost;
  if (is_ours) signal_group(SIGKILL);
  phase_ = Phase::done;
  CommandOutput& output = result_.output;
  if (stands_for_shell_ && output.signal && !result_.stopped) tell_signal_as_shell();
  const auto conclude = [&](Stream& stream, std::string& text, std::uint64_t& bytes) {
    read_rest(stream);
    stream.pipe = {};
    bytes = stream.capture.total();
    output.truncated |= stream.capture.truncated();
    text = stream.capture.take_text();
  };
  conclude(stdout_, output.stdout_text, output.stdout_bytes);
  conclude(stderr_, output.stderr_text, output.stderr_bytes);
  if (is_ours) reap(child_);
}

// Leaves the child a zombie. By the pidfd, so that a status which somebody else has taken is
// missing instead of being that of a process to which the number was given next; by the bare system
// call, for it tells the usage. Returns false where the child has not exited.
bool ChildRun::learn_status() {
  siginfo_t info{};
  rusage usage{};
  const int options = WEXITED | WNOWAIT | WNOHANG;
  if (::syscall(SYS_waitid, P_PIDFD, child_.pidfd.get(), &info, options, &usage) != 0) {
    result_.status_lost = true;
    return true;
  }
  if (info.si_pid == 0) return false;
  CommandOutput& output = result_.output;
  (info.si_code == CLD_EXITED ? output.exit_code : output.signal) = info.si_status;
  output.core_dumped = info.si_code == CLD_DUMPED;
  output.cpu_user = duration_of(usage.ru_utime);
  output.cpu_system = duration_of(usage.ru_stime);
  output.max_rss = std::int64_t{usage.ru_maxrss} * 1024;
  return true;
}

/// The shell would have been the one to see the program die, and it would have exited.
void ChildRun::tell_signal_as_shell() {
  CommandOutput& output = result_.output;
  const int signal = *std::exchange(output.signal, std::nullopt);
  const bool dumped = std::exchange(output.core_dumped, false);
  output.exit_code = 128 + signal;
  if (signal == SIGINT || signal == SIGPIPE || stderr_.is_dropped) return;
  read_rest(stderr_);
  take(stderr_, base::signal_description(signal) + (dumped ? " (core dumped)\n" : "\n"));
}

void ChildRun::signal_group(int signal) const {
  // Fails where all of the group belong to another user, or where the host has reaped the child
  // and the group is empty; neither can be helped here.
  ::kill(-pid(), signal);
}

void ChildRun::close_write_ends() {
  stdout_.pipe.write_end.reset();
  stderr_.pipe.write_end.reset();
}

// At the end of file, which there is only without our write end, the stream is at its end for good.
void ChildRun::read_or_close(Stream& stream) {
  const bool is_end_told = !stream.pipe.write_end;
  if (!read_some(stream) && is_end_told && errno != EAGAIN) stream.pipe.read_end.reset();
}

// Returns whether something was read; errno is 0 at the end of file.
bool ChildRun::read_some(Stream& stream) {
  std::array<char, kPipeCapacity> chunk;
  errno = 0;
  const ssize_t size = ::read(stream.pipe.read_end.get(), chunk.data(), chunk.size());
  const int error = errno;
  if (size > 0) take(stream, {chunk.data(), static_cast<std::size_t>(size)});
  errno = error;
  return size > 0;
}

void ChildRun::take(Stream& stream, std::string_view bytes) {
  if (stream.is_dropped) return;
  stream.capture.append(bytes);
  context_.tell_output(stream.name, bytes);
}

// What is in the pipe at this moment and no more: a process that was left behind may go on writing.
void ChildRun::read_rest(Stream& stream) {
  if (!stream.pipe.read_end || stream.is_dropped) return;
  int available = 0;
  if (::ioctl(stream.pipe.read_end.get(), FIONREAD, &available) != 0) return;
  const std::uint64_t end = stream.capture.total() + static_cast<std::uint64_t>(available);
  while (stream.capture.total() < end && read_some(stream)) {
  }
}

}  // namespace osiiso::process
