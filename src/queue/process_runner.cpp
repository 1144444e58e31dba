// SPDX-License-Identifier: MIT
#include "queue/process_runner.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <string>
#include <utility>

#include "osiiso/process_queue.hpp"

#include "base/format.hpp"
#include "process/environment.hpp"
#include "process/marked_processes.hpp"
#include "process/start_patience.hpp"
#include "process/task_processes.hpp"
#include "queue/image.hpp"

namespace osiiso::queue {
namespace {

using namespace std::chrono_literals;

// Workers that die before they can work are replaced this often in a row.
constexpr int kMostStarts = 4;
// How long a worker may take to kill a command's processes, which is what it gives to those that
// even SIGKILL does not end at once.
constexpr Duration kCommandSlack = 5s;
// The socket of a process that ends is closed a moment before the process has ended.
constexpr Duration kLastMoment = 2s;

TaskContext::Identity identity_of(const TaskContext& context) {
  return {.run_id = context.run_id(),
          .task_id = context.task_id(),
          .name = context.name(),
          .group_id = context.group_id(),
          .attempt = context.attempt(),
          .max_attempts = context.max_attempts(),
          .worker = context.worker(),
          .grace = context.grace()};
}

TaskMessage task_message(std::uint64_t number, const TaskBody& body, const TaskContext& context) {
  TaskMessage message{number, identity_of(context), CallMessage{}, context.is_spawn_heard(),
                      context.is_output_heard()};
  if (const auto* command = body.command()) {
    message.body = *command;
  } else {
    const auto& call = *body.target<RemoteCall>();
    message.body = CallMessage{call.entry_offset(), call.function_offset(), call.arguments()};
  }
  return message;
}

/// One attempt as its worker process runs it, from the first byte sent to the answer, or to the
/// end of the process.
class Exchange {
 public:
  Exchange(WorkerProcess& worker, const TaskMessage& task, const TaskContext& context)
      : worker_(worker),
        context_(context),
        wake_(context.stop_state(), worker.stop_event()),
        number_(task.number),
        is_command_(std::holds_alternative<Command>(task.body)) {
    worker_.link().send(encode(task));
  }

  /// The answer; none where the worker process has ended without one.
  std::optional<DoneMessage> wait() {
    for (;;) {
      std::array<pollfd, 3> waited{{{wake_.descriptor(), POLLIN, 0},
                                    {worker_.link().descriptor(), worker_.link().events(), 0},
                                    {worker_.exit_descriptor(), POLLIN, 0}}};
      base::poll_until(waited, base::earlier(grace_ends_at_, kill_at_));
      if (waited[0].revents != 0) pass_on_stop();
      const bool has_ended = waited[2].revents != 0;
      // What it said before its end counts.
      if (waited[1].revents != 0 || has_ended) worker_.link().transfer();
      if (auto done = read()) return done;
      if (has_ended) return {};
      if (worker_.link().closed()) kill_by(base::now() + kLastMoment);
      if (grace_ends_at_ && *grace_ends_at_ <= base::now()) end_grace();
      if (kill_at_ && *kill_at_ <= base::now()) worker_.kill();
    }
  }

  /// The worker has begun to run the task.
  bool started() const { return started_; }

 private:
  void kill_by(base::Instant at) { kill_at_ = base::earlier(kill_at_, at); }

  void pass_on_stop() {
    const auto request = wake_.take();
    if (!request) return;
    const auto end = base::saturating_add(base::now(), request->grace);
    if (is_command_) {
      // Told without an end, which it hears of when it has come: the worker's clock knows of no
      // pause.
      grace_ends_at_ = base::earlier(grace_ends_at_, end);
      if (request->grace > Duration{0}) send_stop(request->signal, Duration::max());
    } else {
      kill_by(end);
      send_stop(request->signal, request->grace);
    }
  }

  void end_grace() {
    grace_ends_at_.reset();
    kill_by(base::saturating_add(base::now(), kCommandSlack));
    send_stop(SIGKILL, Duration{0});
  }

  void send_stop(int signal, Duration grace) {
    worker_.link().send(encode(StopMessage{number_, signal, grace}));
  }

  std::optional<DoneMessage> read() {
    while (const auto frame = worker_.link().next()) {
      if (frame->type == FrameType::started) {
        started_ = true;
        continue;
      }
      if (frame->type == FrameType::spawned) {
        tell(decode<SpawnedMessage>(*frame));
        continue;
      }
      if (frame->type == FrameType::output) {
        tell(decode<OutputMessage>(*frame));
        continue;
      }
      auto done = decode<DoneMessage>(*frame);
      if (done.number == number_) return done;
    }
    return {};
  }

  void tell(const SpawnedMessage& message) const {
    if (message.number == number_) context_.tell_spawn(static_cast<int>(message.pid));
  }

  void tell(const OutputMessage& message) const {
    if (message.number == number_) context_.tell_output(message.stream, message.text);
  }

  WorkerProcess& worker_;
  const TaskContext& context_;
  const process::UnderWay under_way_;
  base::StopWake wake_;
  const std::uint64_t number_;
  const bool is_command_;
  bool started_ = false;
  std::optional<base::Instant> grace_ends_at_;  // a command's
  std::optional<base::Instant> kill_at_;        // the worker process
};

/// An outcome as what the body itself would have returned or thrown.
class Conclusion {
 public:
  explicit Conclusion(const TaskBody& body) : body_(body) {}

  std::any operator()(const Bytes& value) const {
    const auto* call = body_.target<RemoteCall>();
    if (call == nullptr) throw ProtocolError("a command was answered with a function's value");
    return call->read_value(value);
  }
  std::any operator()(ThrownMessage& thrown) const {
    throw RemoteError(std::move(thrown.type_name), thrown.what);
  }
  std::any operator()(CommandOutput& output) const {
    return std::shared_ptr<const CommandOutput>(std::make_shared<CommandOutput>(std::move(output)));
  }
  std::any operator()(CommandFailure& failure) const {
    throw CommandError(failure.message, failure.cause, std::move(failure.output));
  }

 private:
  const TaskBody& body_;
};

}  // namespace

ProcessRunner::~ProcessRunner() {
  if (worker_) worker_->dismiss(grace_ + kCommandSlack);
  for (const auto& mark : orphaned_) process::kill_marked(mark);
}

void ProcessRunner::end_run() {
  // Only the worker itself can end what it was told to let live until now.
  const std::lock_guard lock(mutex_);
  if (worker_ && !keeping_.empty()) {
    worker_->dismiss(grace_ + kCommandSlack);
    worker_.reset();
  }
  keeping_.clear();
  for (const auto& mark : std::exchange(orphaned_, {})) process::kill_marked(mark);
}

bool ProcessRunner::is_ready() {
  const std::lock_guard lock(mutex_);
  return worker_ && !worker_->has_ended();
}

void ProcessRunner::prepare(const TaskContext& context) {
  const std::lock_guard lock(mutex_);
  refusal_.reset();
  try {
    start_worker(context);
  } catch (const CommandError& refused) {
    refusal_ = refused;
  }
}

void ProcessRunner::start_worker(const TaskContext& context) {
  if (worker_ && worker_->has_ended()) drop_worker();
  for (int starts = 1; !worker_; ++starts) {
    const auto start = start_patiently(context);
    if (start == Start::ready) return;
    const std::string death = start == Start::died ? worker_->death() : std::string();
    worker_.reset();
    if (start == Start::stopped) return;
    if (starts == kMostStarts) throw WorkerError("no worker process can be started: " + death);
  }
}

ProcessRunner::Start ProcessRunner::start_patiently(const TaskContext& context) {
  try {
    return process::start_patiently(
        context.stop_state(), [&] { return start_once(context); }, [] {});
  } catch (const SystemError& why) {
    if (!process::is_shortage(why)) throw;
    throw process::not_started(why);
  }
}

ProcessRunner::Start ProcessRunner::start_once(const TaskContext& context) {
  worker_ = std::make_unique<WorkerProcess>();
  try {
    return shake_hands(context);
  } catch (...) {
    worker_.reset();
    throw;
  }
}

void ProcessRunner::drop_worker() {
  worker_.reset();
  orphaned_.insert(orphaned_.end(), keeping_.begin(), keeping_.end());
  keeping_.clear();
}

ProcessRunner::Start ProcessRunner::shake_hands(const TaskContext& context) {
  const base::StopWake wake(context.stop_state(), worker_->stop_event());
  auto& link = worker_->link();
  for (;;) {
    std::array<pollfd, 3> waited{{{wake.descriptor(), POLLIN, 0},
                                  {link.descriptor(), link.events(), 0},
                                  {worker_->exit_descriptor(), POLLIN, 0}}};
    base::poll_until(waited, {});
    if (waited[0].revents != 0) return Start::stopped;
    const bool has_ended = waited[2].revents != 0;
    if (waited[1].revents != 0 || has_ended) link.transfer();
    while (const auto frame = link.next()) {
      if (frame->type == FrameType::ready) return Start::ready;
      if (frame->type == FrameType::unready) {
        auto [thrown, lack] = decode<UnreadyMessage>(*frame);
        if (lack != 0) throw SystemError("a worker process cannot start its second thread", lack);
        throw RemoteError(std::move(thrown.type_name), thrown.what);
      }
      set_up(*frame);
    }
    if (has_ended) return Start::died;
  }
}

void ProcessRunner::set_up(const Frame& hello) {
  if (decode<HelloMessage>(hello).build_id != build_id()) {
    throw WorkerError("a worker process is not of the same build as the program");
  }
  worker_->link().send(encode(SetupMessage{.initializer = initializer_,
                                           .grace = grace_,
                                           .owns_orphans = process::owns_orphans(),
                                           .claims_strays = process::claims_strays(),
                                           .needs_listener = needs_listener_}));
}

std::any ProcessRunner::run(const TaskBody& body, const TaskContext& context) {
  const std::lock_guard lock(mutex_);
  if (refusal_) throw *std::exchange(refusal_, {});
  std::optional<DoneMessage> done;
  try {
    done = run_task(body, context);
  } catch (...) {
    drop_worker();  // who knows what it would say next
    throw;
  }
  if (!done) {
    const std::string death = worker_->death();
    drop_worker();
    if (body.command() != nullptr) process::kill_marked(process::task_mark(context));
    throw WorkerError(death);
  }
  if (done->keeps_processes) keeping_.push_back(process::task_mark(context));
  make_room();
  return std::visit(Conclusion(body), done->outcome);
}

/// Where others wait for room, an idle worker process takes it up for nothing.
void ProcessRunner::make_room() {
  if (process::waiting_starts() == 0 || !keeping_.empty()) return;
  worker_->dismiss(grace_ + kCommandSlack);
  worker_.reset();
  process::note_room();
}

/// One that died before it began is no end of the task: another takes its place.
std::optional<DoneMessage> ProcessRunner::run_task(const TaskBody& body,
                                                   const TaskContext& context) {
  needs_listener_ = needs_listener_ || body.command() == nullptr;
  for (int starts = 1;; ++starts) {
    start_worker(context);
    if (!worker_) throw WorkerError("stopped before a worker process was ready");
    Exchange exchange(*worker_, task_message(++number_, body, context), context);
    auto done = exchange.wait();
    if (done || exchange.started() || starts == kMostStarts) return done;
    if (context.stop_state().latest()) return {};
    drop_worker();
  }
}

}  // namespace osiiso::queue
