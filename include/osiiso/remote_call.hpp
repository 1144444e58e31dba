// SPDX-License-Identifier: MIT
#pragma once

#include <any>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "osiiso/callable.hpp"
#include "osiiso/task_body.hpp"
#include "osiiso/task_context.hpp"

namespace osiiso {

/// Callables that another execution of this program can call: they hold nothing, so that their
/// place in the program's image says all. Captureless lambdas, empty function objects, pointers to
/// functions.
template <typename F>
concept RemoteCallable = (std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>) ||
                         (std::is_class_v<F> && std::is_empty_v<F> &&
                          std::is_default_constructible_v<F>);

/// Values that cross between processes: nlohmann-json converts them both ways (numbers, strings,
/// containers, and types of yours with `to_json` and `from_json`).
template <typename T>
concept Serialisable = !std::is_pointer_v<T> && !std::is_reference_v<T> &&
                       requires(const T& value, const nlohmann::json& json) {
  nlohmann::json(value);
  { json.template get<T>() } -> std::same_as<T>;
};

/// A call that can be made in another execution of this program: which function, by its offset in
/// the program's image, and its arguments as CBOR. A callable like any other, too: called here, it
/// makes the call here. Made by `remote_call`.
class RemoteCall {
 public:
  using Bytes = std::vector<std::uint8_t>;
  /// Makes the call with arguments from bytes, and returns the value's.
  using Entry = Bytes (*)(std::uintptr_t function, const Bytes& arguments,
                          const TaskContext& context);
  using ReadValue = std::any (*)(const Bytes& value);

  /// Of nothing.
  RemoteCall() = default;
  /// `function`: what `entry` is to call where that does not say it alone. Throws `Error` where an
  /// address is not in the program itself (in a shared library, say).
  RemoteCall(Entry entry, std::uintptr_t function, Bytes arguments, ReadValue read);

  bool is_null() const { return read_value_ == nullptr; }

  std::uint64_t entry_offset() const { return entry_offset_; }
  std::uint64_t function_offset() const { return function_offset_; }
  const Bytes& arguments() const { return *arguments_; }

  /// The value of a call as the type that the function returned.
  std::any read_value(const Bytes& value) const { return read_value_(value); }

  std::any operator()(const TaskContext& context) const;

 private:
  std::uint64_t entry_offset_ = 0;
  std::uint64_t function_offset_ = 0;  // 0: none
  std::shared_ptr<const Bytes> arguments_;
  ReadValue read_value_ = nullptr;
};

namespace detail {

/// What `to_cbor` wrote. Throws what nlohmann's `from_cbor` throws, and `Error` for what is nested
/// so deeply that its recursion could exhaust the stack.
nlohmann::json read_cbor(const std::vector<std::uint8_t>& bytes);

/// As what an argument crosses: a C string as the text that it points to.
template <typename T>
using wire_t =
    std::conditional_t<std::is_same_v<T, const char*> || std::is_same_v<T, char*>, std::string, T>;

template <typename F, typename... Args>
struct RemoteEntry {
  using Bytes = RemoteCall::Bytes;
  using Bound = BoundTask<F, Args...>;
  using Value = value_t<Bound>;

  static Bytes call(std::uintptr_t function, const Bytes& arguments, const TaskContext& context) {
    return call_with(function, read_cbor(arguments), context, std::index_sequence_for<Args...>{});
  }

  static std::any read_value(const Bytes& bytes) {
    if constexpr (std::is_void_v<Value>) {
      return {};
    } else {
      auto value = read_cbor(bytes).template get<Value>();
      if constexpr (std::is_copy_constructible_v<Value>) {
        return std::any(std::in_place_type<Value>, std::move(value));
      } else {
        return std::shared_ptr<const Value>(std::make_shared<Value>(std::move(value)));
      }
    }
  }

 private:
  template <std::size_t... I>
  static Bytes call_with(std::uintptr_t function, const nlohmann::json& json,
                         const TaskContext& context, std::index_sequence<I...> /*positions*/) {
    // Outlives the call, which may be given pointers into it.
    std::tuple<wire_t<Args>...> values{json.at(I).template get<wire_t<Args>>()...};
    Bound bound{function_at(function), {argument<Args>(std::get<I>(values))...}};
    if constexpr (std::is_void_v<Value>) {
      bound(context);
      return {};
    } else {
      return nlohmann::json::to_cbor(nlohmann::json(bound(context)));
    }
  }

  static F function_at([[maybe_unused]] std::uintptr_t address) {
    if constexpr (std::is_pointer_v<F>) {
      // NOLINTNEXTLINE(performance-no-int-to-ptr): it crossed as a distance within the image
      return reinterpret_cast<F>(address);
    } else {
      return F{};
    }
  }

  template <typename Arg>
  static decltype(auto) argument(wire_t<Arg>& value) {
    if constexpr (std::is_pointer_v<Arg>) {
      return (value.data());
    } else {
      return std::move(value);
    }
  }
};

template <typename F, typename... Args>
RemoteCall make_remote(const BoundTask<F, Args...>& call) {
  static_assert(RemoteCallable<F>,
                "a process queue calls captureless lambdas, empty function objects and plain "
                "functions only: what a callable holds cannot cross to another process");
  static_assert((Serialisable<wire_t<Args>> && ...),
                "an argument cannot cross to another process: nlohmann-json must convert it both "
                "ways (to_json, from_json)");
  if constexpr (RemoteCallable<F> && (Serialisable<wire_t<Args>> && ...)) {
    using Entry = RemoteEntry<F, Args...>;
    using Value = typename Entry::Value;
    static_assert(std::is_void_v<Value> || Serialisable<Value>,
                  "the value cannot cross from another process: nlohmann-json must convert it both "
                  "ways (to_json, from_json)");
    if (call.is_null()) return {};
    auto json = nlohmann::json::array();
    std::apply([&](const auto&... values) { (json.push_back(nlohmann::json(values)), ...); },
               call.arguments);
    std::uintptr_t function = 0;
    if constexpr (std::is_pointer_v<F>) function = reinterpret_cast<std::uintptr_t>(call.function);
    return {&Entry::call, function, nlohmann::json::to_cbor(json), &Entry::read_value};
  } else {
    return {};
  }
}

}  // namespace detail

/// `remote_call(fetch, "ada")`: a call that a `ProcessQueue` takes in a `Batch`. The callable must
/// be a `RemoteCallable`, arguments and value `Serialisable`; else it does not compile.
template <typename F, typename... Args>
RemoteCall remote_call(F&& function, Args&&... arguments) {
  return detail::make_remote(bound(std::forward<F>(function), std::forward<Args>(arguments)...));
}

}  // namespace osiiso
