// SPDX-License-Identifier: MIT
#include "queue/attempt.hpp"

namespace osiiso::queue {
namespace {

void take_output(AttemptOutcome& outcome, std::shared_ptr<const CommandOutput> output) {
  outcome.exit_code = output->exit_code;
  outcome.signal = output->signal;
  outcome.output = std::move(output);
}

}  // namespace

AttemptOutcome execute(const TaskBody& body, const TaskContext& context) noexcept {
  AttemptOutcome outcome;
  try {
    outcome.value = body(context);
    if (const auto* output = std::any_cast<std::shared_ptr<const CommandOutput>>(&outcome.value)) {
      take_output(outcome, *output);
    }
  } catch (const CommandError& error) {
    outcome.error = std::current_exception();
    outcome.cause = error.cause();
    outcome.message = error.what();
    take_output(outcome, error.shared_output());
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

}  // namespace osiiso::queue
