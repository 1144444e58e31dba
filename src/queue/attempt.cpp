// SPDX-License-Identifier: MIT
#include "queue/attempt.hpp"

#include <utility>

#include "osiiso/process_queue.hpp"

namespace osiiso::queue {
namespace {

void take_output(AttemptOutcome& outcome, std::shared_ptr<const CommandOutput> output) {
  outcome.exit_code = output->exit_code;
  outcome.signal = output->signal;
  outcome.output = std::move(output);
}

template <typename Call>
AttemptOutcome outcome_of(const Call& call) noexcept {
  try {
    return succeeded(call());
  } catch (...) {
    return failed(std::current_exception());
  }
}

}  // namespace

AttemptOutcome succeeded(std::any value) {
  AttemptOutcome outcome;
  outcome.value = std::move(value);
  if (const auto* output = std::any_cast<std::shared_ptr<const CommandOutput>>(&outcome.value)) {
    take_output(outcome, *output);
  }
  return outcome;
}

AttemptOutcome failed(std::exception_ptr thrown) {
  AttemptOutcome outcome;
  outcome.cause = Cause::error;
  outcome.error = std::move(thrown);
  try {
    std::rethrow_exception(outcome.error);
  } catch (const CommandError& error) {
    outcome.cause = error.cause();
    outcome.message = error.what();
    take_output(outcome, error.shared_output());
  } catch (const WorkerError& error) {
    outcome.cause = Cause::worker;
    outcome.message = error.what();
  } catch (const std::exception& error) {
    outcome.message = error.what();
  } catch (...) {
    outcome.message = "unknown exception";
  }
  return outcome;
}

void add_leaked(AttemptOutcome& outcome, const CommandOutput& earlier) {
  if (earlier.leaked.empty()) return;
  auto merged = outcome.output ? *outcome.output : CommandOutput();
  merged.leaked.insert(merged.leaked.begin(), earlier.leaked.begin(), earlier.leaked.end());
  outcome.output = std::make_shared<const CommandOutput>(std::move(merged));
  if (outcome.cause == Cause::none && outcome.value.has_value()) outcome.value = outcome.output;
}

AttemptOutcome execute(const TaskBody& body, const TaskContext& context) noexcept {
  return outcome_of([&] { return body(context); });
}

AttemptOutcome execute(AttemptRunner& runner, const TaskBody& body,
                       const TaskContext& context) noexcept {
  return outcome_of([&] { return runner.run(body, context); });
}

}  // namespace osiiso::queue
