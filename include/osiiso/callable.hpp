// SPDX-License-Identifier: MIT
#pragma once

#include <any>
#include <concepts>
#include <functional>
#include <memory>
#include <stop_token>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "osiiso/command.hpp"
#include "osiiso/task_body.hpp"
#include "osiiso/task_context.hpp"
#include "osiiso/task_result.hpp"

namespace osiiso {

/// A callable together with its arguments, to be called once for each attempt. Both are stored by
/// value. The callable gets the arguments as lvalues at every attempt, so that a retry finds them
/// again; one that only takes them as rvalues (a move-only type by value) gets them once, and is
/// refused together with `retries`. It may take a `const TaskContext&` or a `std::stop_token` in
/// front of them.
template <typename F, typename... Args>
struct BoundTask {
 private:
  template <typename... Given>
  static constexpr bool takes = std::is_invocable_v<F&, Given...>;
  static constexpr bool takes_lvalues =
      takes<const TaskContext&, Args&...> || takes<std::stop_token, Args&...> || takes<Args&...>;

 public:
  static constexpr bool kTakesArguments = takes_lvalues || takes<const TaskContext&, Args...> ||
                                          takes<std::stop_token, Args...> || takes<Args...>;
  static constexpr bool kSingleUse = !takes_lvalues;

  F function;
  std::tuple<Args...> arguments;

  bool is_null() const { return detail::is_null(function); }

  decltype(auto) operator()(const TaskContext& context) {
    static_assert(kTakesArguments,
                  "the callable does not take these arguments (a const TaskContext& or a "
                  "std::stop_token may stand before them)");
    return std::apply(
        [&](Args&... values) -> decltype(auto) {
          if constexpr (takes<const TaskContext&, Args&...>) {
            return std::invoke(function, context, values...);
          } else if constexpr (takes<std::stop_token, Args&...>) {
            return std::invoke(function, context.stop_token(), values...);
          } else if constexpr (takes<Args&...>) {
            return std::invoke(function, values...);
          } else if constexpr (takes<const TaskContext&, Args...>) {
            return std::invoke(function, context, std::move(values)...);
          } else if constexpr (takes<std::stop_token, Args...>) {
            return std::invoke(function, context.stop_token(), std::move(values)...);
          } else if constexpr (takes<Args...>) {
            return std::invoke(function, std::move(values)...);
          }
        },
        arguments);
  }
};

/// `bound(fetch, "ada")`: a call to be made later, as a group of mixed callables takes them.
template <typename F, typename... Args>
BoundTask<std::decay_t<F>, std::decay_t<Args>...> bound(F&& function, Args&&... arguments) {
  return {std::forward<F>(function), {std::forward<Args>(arguments)...}};
}

namespace detail {

template <typename T>
inline constexpr bool is_bound = false;
template <typename F, typename... Args>
inline constexpr bool is_bound<BoundTask<F, Args...>> = true;

template <typename T>
inline constexpr bool is_tuple = false;
template <typename... Ts>
inline constexpr bool is_tuple<std::tuple<Ts...>> = true;

/// One input of `map` as arguments: a tuple is spread, anything else is one argument.
template <typename F, typename Item>
auto bind_item(const F& function, Item&& item) {
  if constexpr (is_tuple<std::decay_t<Item>>) {
    return std::apply([&](auto&&... parts) { return bound(function, parts...); },
                      std::forward<Item>(item));
  } else {
    return bound(function, std::forward<Item>(item));
  }
}

/// What a bound task returns, without reference.
template <typename Bound>
using value_t = std::decay_t<decltype(std::declval<Bound&>()(std::declval<const TaskContext&>()))>;

/// The value of a succeeded task as the type that its callable returned.
template <typename T>
decltype(auto) value_of(const TaskResult& result) {
  if constexpr (std::is_void_v<T>) {
    return;
  } else if constexpr (std::is_same_v<T, std::any>) {
    return std::any(result.value);
  } else if constexpr (std::is_same_v<T, CommandOutput>) {
    return (*result.output);
  } else if constexpr (std::is_copy_constructible_v<T>) {
    return T(std::any_cast<const T&>(result.value));
  } else {
    return (*std::any_cast<const std::shared_ptr<const T>&>(result.value));
  }
}

/// `T` as it stands in a tuple or vector: nothing has something to stand for it, and what cannot
/// be copied is shared with its result.
template <typename T>
using stored_t = std::conditional_t<
    std::is_void_v<T>, std::monostate,
    std::conditional_t<std::is_copy_constructible_v<T>, T, std::shared_ptr<const T>>>;

template <typename T>
stored_t<T> stored_value_of(const TaskResult& result) {
  if constexpr (std::is_void_v<T>) {
    return {};
  } else if constexpr (std::is_copy_constructible_v<T>) {
    return value_of<T>(result);
  } else {
    return std::any_cast<std::shared_ptr<const T>>(result.value);
  }
}

}  // namespace detail

}  // namespace osiiso
