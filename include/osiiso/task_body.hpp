// SPDX-License-Identifier: MIT
#pragma once

#include <any>
#include <memory>
#include <type_traits>
#include <utility>

#include "osiiso/command.hpp"
#include "osiiso/task_context.hpp"

namespace osiiso {

/// A callable of any type, to be called once for each attempt. Copies share the callable.
///
/// What it is made of is called with the context, with its stop token, or with nothing, whichever
/// it takes; what it returns is the task's value, what it throws is the attempt's failure.
class TaskBody {
 public:
  /// Empty: not to be called, to be assigned to.
  TaskBody() = default;

  /// Any callable is one, without a conversion being written.
  template <typename F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, TaskBody>)
      TaskBody(F&& callable)  // NOLINT(bugprone-forwarding-reference-overload)
      : held_(is_null(callable)
                  ? nullptr
                  : std::make_shared<Held<std::decay_t<F>>>(std::forward<F>(callable))) {}

  /// False for an empty body, and for one made of a null pointer or an empty `std::function`.
  explicit operator bool() const { return held_ != nullptr; }

  std::any operator()(const TaskContext& context) const { return held_->call(context); }

  /// The command that this body is, or nullptr for a function. Lets a queue run it its own way.
  const Command* command() const { return held_ ? held_->command() : nullptr; }

 private:
  template <typename F>
  static bool is_null(const F& callable) {
    if constexpr (std::is_pointer_v<std::decay_t<F>>) {
      return callable == nullptr;
    } else if constexpr (requires { callable.operator bool(); }) {
      return !callable;
    } else {
      return false;
    }
  }

  struct Callable {
    virtual ~Callable() = default;
    virtual std::any call(const TaskContext& context) = 0;
    virtual const Command* command() const = 0;
  };

  template <typename F>
  struct Held final : Callable {
    explicit Held(F callable) : function(std::move(callable)) {}

    std::any call(const TaskContext& context) override {
      const auto invoke = [&]() -> decltype(auto) {
        if constexpr (std::is_invocable_v<F&, const TaskContext&>) {
          return function(context);
        } else if constexpr (std::is_invocable_v<F&, std::stop_token>) {
          return function(context.stop_token());
        } else {
          return function();
        }
      };
      if constexpr (std::is_same_v<F, Command>) {
        return std::make_shared<const CommandOutput>(invoke());
      } else if constexpr (std::is_void_v<decltype(invoke())>) {
        invoke();
        return {};
      } else {
        return std::any(invoke());
      }
    }

    const Command* command() const override {
      if constexpr (std::is_same_v<F, Command>) {
        return &function;
      } else {
        return nullptr;
      }
    }

    F function;
  };

  std::shared_ptr<Callable> held_;
};

}  // namespace osiiso
