// SPDX-License-Identifier: MIT
#include "cli/feeder.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "osiiso/command.hpp"
#include "osiiso/error.hpp"
#include "osiiso/remote_call.hpp"

#include "base/format.hpp"
#include "cli/hook_chain.hpp"
#include "model/task_name.hpp"

namespace osiiso::cli {
namespace {

// As many inputs as are there go to the queue together, up to so many.
constexpr std::size_t kLargestBatch = 64;

void refuse_input(const std::string& why) {
  throw Error(why);
}

/// Why it cannot be handed to any command; empty: it can.
std::string why_refused(const RawInput& input) {
  if (input.is_too_long) {
    return base::format("it is longer than {} bytes, which no command can be given", kLongestInput);
  }
  if (input.value.find('\0') != std::string::npos) return "it holds a NUL byte";
  return {};
}

Batch::SharedOptions shared(TaskOptions options) {
  return std::make_shared<const TaskOptions>(std::move(options));
}

}  // namespace

bool Room::take(std::optional<base::Instant> deadline) {
  std::unique_lock lock(mutex_);
  const auto may_go_on = [&] { return is_closed_ || has_place(); };
  if (deadline) {
    base::wait_until(given_, lock, *deadline, may_go_on);
  } else {
    given_.wait(lock, may_go_on);
  }
  if (is_closed_ || !has_place()) return false;
  ++taken_;
  return true;
}

bool Room::try_take() {
  const std::lock_guard lock(mutex_);
  if (is_closed_ || !has_place()) return false;
  ++taken_;
  return true;
}

void Room::give(std::size_t places) {
  {
    const std::lock_guard lock(mutex_);
    taken_ -= places;
  }
  given_.notify_one();
}

void Room::close() {
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
  }
  given_.notify_one();
}

Feeder::Feeder(InputSource& inputs, job::Template commands, const Options& options)
    : inputs_(inputs),
      commands_(std::move(commands)),
      options_(shared(options.task)),
      refused_options_(shared({.priority = options.task.priority})),
      timeout_(options.timeout),
      checkpoint_(options.checkpoint),
      is_too_far_ahead_(options.is_too_far_ahead),
      identities_(options.run_name, {}),
      room_(options.size) {}

void Feeder::listen(Hooks& hooks) {
  add_call(hooks.on_complete, [this](const ResultPtr&) {
    ++finished_;
    if (!is_too_far_ahead_()) room_.give(std::exchange(finished_, 0));
  });
  add_call(hooks.on_stop, [this](const RunStop&) { stop(); });
}

void Feeder::stop() {
  room_.close();
  inputs_.stop();
}

void Feeder::feed(const std::function<void(Batch)>& submit) {
  began_at_ = base::now();
  try {
    feed_all(submit);
  } catch (const ClosedError&) {  // the run is being ended
  } catch (const Error& error) {
    error_ = error.what();
  }
  is_done_ = true;
  timed_out_ = timeout_ && base::now() >= *deadline();
}

void Feeder::feed_all(const std::function<void(Batch)>& submit) {
  while (room_.take(deadline())) {
    const auto first = inputs_.next(deadline());
    if (!first) return;
    Batch batch;
    add(batch, *first);
    while (batch.tasks().size() < kLargestBatch && room_.try_take()) {
      const auto input = inputs_.next_ready();
      if (!input) {
        room_.give();
        break;
      }
      add(batch, *input);
    }
    submit(std::move(batch));
  }
}

void Feeder::add(Batch& batch, const RawInput& input) {
  ++taken_;
  if (const auto why = why_refused(input); !why.empty()) {
    batch.add(base::format("input {}", taken_), refused_options_, remote_call(refuse_input, why));
    return;
  }
  auto command = commands_.fill(job::Input::scalar(input.value), taken_);
  if (checkpoint_ == nullptr) {
    batch.add({}, options_, std::move(command));
    return;
  }
  const auto identity = identities_.make({}, command);
  const auto name = model::name_of_command(command.text());
  batch.record(batch.add({}, options_, std::move(command)),
               checkpoint_->recorder<CommandOutput>(identity.name_space, identity.key(), name));
}

std::optional<base::Instant> Feeder::deadline() const {
  if (!timeout_) return {};
  return base::saturating_add(began_at_, *timeout_);
}

std::optional<Duration> Feeder::time_left() const {
  if (!timeout_) return {};
  return std::max(Duration(*deadline() - base::now()), Duration{1});
}

}  // namespace osiiso::cli
