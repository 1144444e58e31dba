// SPDX-License-Identifier: MIT
#include "queue/attempt.hpp"

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
  AttemptOutcome outcome;
  try {
    outcome.value = call();
    if (const auto* output = std::any_cast<std::shared_ptr<const CommandOutput>>(&outcome.value)) {
      take_output(outcome, *output);
    }
  } catch (const CommandError& error) {
    outcome.error = std::current_exception();
    outcome.cause = error.cause();
    outcome.message = error.what();
    take_output(outcome, error.shared_output());
  } catch (const WorkerError& error) {
    outcome.error = std::current_exception();
    outcome.cause = Cause::worker;
    outcome.message = error.what();
  } catch (const std::exception& error) {
    outcome.error = std::current_exception();
    outcome.cause = Cause::error;
    outcome.message = error.what();
  } catch (...) {
    outcome.error = std::current_exception();
    outcome.cause = Cause::error;
    outcome.message = "unknown exception";
  }
  return outcome;
}

}  // namespace

AttemptOutcome execute(const TaskBody& body, const TaskContext& context) noexcept {
  return outcome_of([&] { return body(context); });
}

AttemptOutcome execute(AttemptRunner& runner, const TaskBody& body,
                       const TaskContext& context) noexcept {
  return outcome_of([&] { return runner.run(body, context); });
}

}  // namespace osiiso::queue
