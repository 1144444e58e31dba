// SPDX-License-Identifier: MIT
#pragma once

#include <any>
#include <functional>

#include "process/command_run.hpp"
#include "process/start_patience.hpp"
#include "queue/attempt_runner.hpp"

namespace osiiso::queue {

/// Calls the bodies on its own thread.
class ThreadRunner final : public AttemptRunner {
 public:
  /// `initializer` may be empty; it is called before the first attempt.
  explicit ThreadRunner(const std::function<void()>& initializer)
      : initializer_(&initializer), is_initialized_(!initializer) {}

  bool is_ready() override { return is_initialized_; }
  void prepare(const TaskContext& /*context*/) override {
    (*initializer_)();
    is_initialized_ = true;
  }
  std::any run(const TaskBody& body, const TaskContext& context) override {
    const auto* const command = body.command();
    return command != nullptr ? detail::erased(commands_.run(*command, context)) : body(context);
  }
  void rest() override {
    commands_.let_go();
    process::note_room();
  }

 private:
  const std::function<void()>* initializer_;  // the engine's
  bool is_initialized_;
  process::CommandRunner commands_;
};

}  // namespace osiiso::queue
