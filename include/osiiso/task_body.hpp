// SPDX-License-Identifier: MIT
#pragma once

#include <any>
#include <atomic>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "osiiso/command.hpp"
#include "osiiso/task_context.hpp"

namespace osiiso {

namespace detail {

/// Whether there is nothing to call: a null pointer, an empty `std::function`.
template <typename F>
bool is_null(const F& callable) {
  if constexpr (std::is_pointer_v<F> || std::is_member_pointer_v<F>) {
    return callable == nullptr;
  } else if constexpr (requires { callable.is_null(); }) {
    return callable.is_null();
  } else if constexpr (requires { callable.operator bool(); }) {
    return !callable;
  } else {
    return false;
  }
}

/// The value of a callable as a result holds it.
template <typename Returned>
std::any erased(Returned&& value) {
  using Value = std::decay_t<Returned>;
  if constexpr (std::is_same_v<Value, std::any>) {
    return std::forward<Returned>(value);
  } else if constexpr (std::is_same_v<Value, CommandOutput> ||
                       !std::is_copy_constructible_v<Value>) {
    // Too large to be copied about, or not to be copied at all.
    return std::shared_ptr<const Value>(std::make_shared<Value>(std::forward<Returned>(value)));
  } else {
    return std::any(std::in_place_type<Value>, std::forward<Returned>(value));
  }
}

}  // namespace detail

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
      : held_(detail::is_null(callable) ? Share() : hold(std::forward<F>(callable))) {}

  /// False for an empty body, and for one made of a null pointer or an empty `std::function`.
  explicit operator bool() const { return held_.get() != nullptr; }

  std::any operator()(const TaskContext& context) const { return held_.get()->call(context); }

  /// The callable itself where it is an `F`, else nullptr. Lets a queue run some kinds its own way.
  template <typename F>
  const F* target() const {
    const auto* held = dynamic_cast<const Held<F>*>(held_.get());
    return held == nullptr ? nullptr : &held->function;
  }

  /// The command that this body is, or nullptr for a function.
  const Command* command() const {
    return *this && held_.get()->is_command() ? target<Command>() : nullptr;
  }

  /// Whether it can be called once only, for it gives its arguments away.
  bool is_single_use() const { return *this && held_.get()->is_single_use(); }

 private:
  struct Callable {
    explicit Callable(bool counted) : is_counted(counted) {}
    virtual ~Callable() = default;
    Callable(const Callable&) = delete;
    Callable& operator=(const Callable&) = delete;
    virtual std::any call(const TaskContext& context) = 0;
    virtual bool is_command() const = 0;
    virtual bool is_single_use() const = 0;

    std::atomic<std::uint32_t> shares{1};
    const bool is_counted;
  };

  /// A share of a callable: half of what a `std::shared_ptr` takes, for a million tasks may wait.
  class Share {
   public:
    Share() = default;
    /// The first of one that was made with `new`, or one of many of what is not counted.
    explicit Share(Callable* callable) : callable_(callable) {}
    Share(const Share& other) noexcept : callable_(other.callable_) {
      if (is_counted()) callable_->shares.fetch_add(1, std::memory_order_relaxed);
    }
    Share(Share&& other) noexcept : callable_(std::exchange(other.callable_, nullptr)) {}
    Share& operator=(Share other) noexcept {
      std::swap(callable_, other.callable_);
      return *this;
    }
    ~Share() {
      const bool is_last =
          is_counted() && callable_->shares.fetch_sub(1, std::memory_order_acq_rel) == 1;
      if (is_last) delete callable_;
    }
    Callable* get() const { return callable_; }

   private:
    bool is_counted() const { return callable_ != nullptr && callable_->is_counted; }

    Callable* callable_ = nullptr;
  };

  template <typename F>
  struct Held final : Callable {
    Held(F callable, bool counted) : Callable(counted), function(std::move(callable)) {}

    std::any call(const TaskContext& context) override {
      static_assert(std::is_invocable_v<F&, const TaskContext&> ||
                        std::is_invocable_v<F&, std::stop_token> || std::is_invocable_v<F&>,
                    "a task is called with nothing, a const TaskContext& or a std::stop_token");
      const auto invoke = [&]() -> decltype(auto) {
        if constexpr (std::is_invocable_v<F&, const TaskContext&>) {
          return function(context);
        } else if constexpr (std::is_invocable_v<F&, std::stop_token>) {
          return function(context.stop_token());
        } else if constexpr (std::is_invocable_v<F&>) {
          return function();
        }
      };
      if constexpr (std::is_void_v<decltype(invoke())>) {
        invoke();
        return {};
      } else {
        return detail::erased(invoke());
      }
    }

    bool is_command() const override { return std::is_same_v<F, Command>; }
    bool is_single_use() const override {
      if constexpr (requires { F::kSingleUse; }) {
        return F::kSingleUse;
      } else if constexpr (requires { function.is_single_use(); }) {
        return function.is_single_use();
      } else {
        return false;
      }
    }

    F function;
  };

  template <typename F>
  static Share hold(F&& callable) {
    using Made = Held<std::decay_t<F>>;
    if constexpr (std::is_empty_v<std::decay_t<F>> &&
                  std::is_trivially_copyable_v<std::decay_t<F>>) {
      // Without state one is as good as another, and need not be counted. Never destroyed: a body
      // may outlive whatever is static.
      static Made* const made = new Made(std::forward<F>(callable), false);
      return Share(made);
    } else {
      return Share(new Made(std::forward<F>(callable), true));
    }
  }

  Share held_;
};

}  // namespace osiiso
