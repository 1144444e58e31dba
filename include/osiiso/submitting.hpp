// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "osiiso/batch.hpp"
#include "osiiso/callable.hpp"
#include "osiiso/checkpoint.hpp"
#include "osiiso/task_body.hpp"
#include "osiiso/task_options.hpp"

namespace osiiso {

struct SyncKinds;

/// The typed ways to submit, the same for all queues. `Queue::make_body(bound)` says how a bound
/// task becomes a body, `Kinds` which handles and groups the queue gives and what it is otherwise.
template <typename Queue, typename Kinds = SyncKinds>
class Submitting : public Kinds::Queue {
  using Base = typename Kinds::Queue;
  template <typename Call>
  using value_t = typename Kinds::template Value<detail::value_t<std::decay_t<Call>>>;

 public:
  /// Accepts one call of `function` with these arguments, which are stored by value. A full
  /// bounded queue starts its workers and waits for room; an `AsyncQueue` throws `QueueFullError`.
  /// From inside a task it never waits: the new task is admitted as room appears. Throws
  /// `OptionError` (a broken rule, or nothing to call) or `ClosedError` (`queue is not accepting
  /// tasks`).
  template <typename F, typename... Args>
  auto submit(TaskOptions options, F&& function, Args&&... arguments) {
    return typed(
        make_bound(std::forward<F>(function), std::forward<Args>(arguments)...),
        [&](TaskBody body) { return this->submit_body(std::move(options), std::move(body)); });
  }
  template <typename F, typename... Args>
  requires(!std::is_convertible_v<F, TaskOptions> &&
           !std::is_same_v<std::decay_t<F>, Batch>) auto submit(F&& function, Args&&... arguments) {
    return typed(make_bound(std::forward<F>(function), std::forward<Args>(arguments)...),
                 [this](TaskBody body) { return this->submit_body(std::move(body)); });
  }
  using Base::submit;

  /// One call of `function` for each item; a tuple is spread as arguments. The handles stand in the
  /// order of the items.
  template <typename F, typename Items>
  auto map(TaskOptions options, const F& function, Items&& items) {
    return all_as<item_value_t<F, Items>>(
        this->submit_all(std::move(options), bodies_of(function, items)));
  }
  template <typename F, typename Items>
  auto map(const F& function, Items&& items) {
    return map(TaskOptions{}, function, std::forward<Items>(items));
  }

  /// The same, but what an earlier run finished is restored, and what this one does is recorded:
  /// `queue.map(fetch, urls, checkpoint.in("fetch"))`. Throws `CheckpointError` where the file
  /// cannot be read, `OptionError` where arguments cannot be a key. Items are looked at twice.
  template <typename F, typename Items, typename Key>
  auto map(TaskOptions options, const F& function, Items&& items,
           const CheckpointSpace<Key>& space) {
    auto recorders = recorders_of<F>(space, options.name, items);
    return all_as<item_value_t<F, Items>>(
        this->submit_all(std::move(options), bodies_of(function, items), std::move(recorders)));
  }
  template <typename F, typename Items, typename Key>
  auto map(const F& function, Items&& items, const CheckpointSpace<Key>& space) {
    return map(TaskOptions{}, function, std::forward<Items>(items), space);
  }

  /// The same under one identifier: `options.group_id`, without one `group-N`.
  template <typename F, typename Items>
  requires(!detail::is_bound<std::decay_t<F>>) auto group(TaskOptions options, const F& function,
                                                          Items&& items) {
    auto made = this->submit_group(std::move(options), bodies_of(function, items));
    return as<typename Kinds::template Group<item_value_t<F, Items>>>(std::move(made));
  }
  template <typename F, typename Items>
  requires(!detail::is_bound<std::decay_t<F>> &&
           !std::is_convertible_v<F, TaskOptions>) auto group(const F& function, Items&& items) {
    return group(TaskOptions{}, function, std::forward<Items>(items));
  }

  /// With a checkpoint, as `map`. `values()` has the restored ones too.
  template <typename F, typename Items, typename Key>
  auto group(TaskOptions options, const F& function, Items&& items,
             const CheckpointSpace<Key>& space) {
    auto recorders = recorders_of<F>(space, options.name, items);
    auto made =
        this->submit_group(std::move(options), bodies_of(function, items), std::move(recorders));
    return as<typename Kinds::template Group<item_value_t<F, Items>>>(std::move(made));
  }
  template <typename F, typename Items, typename Key>
  requires(!std::is_convertible_v<F, TaskOptions>) auto group(const F& function, Items&& items,
                                                              const CheckpointSpace<Key>& space) {
    return group(TaskOptions{}, function, std::forward<Items>(items), space);
  }

  /// A group of mixed calls: `queue.group({.group_id = "g"}, bound(f, 1), bound(g, "x"))`.
  template <typename... Bounds>
  requires(detail::is_bound<std::decay_t<Bounds>>&&...) auto group(TaskOptions options,
                                                                   Bounds&&... calls) {
    std::vector<TaskBody> bodies;
    bodies.reserve(sizeof...(calls));
    (bodies.push_back(Queue::make_body(std::forward<Bounds>(calls))), ...);
    auto made = this->submit_group(std::move(options), std::move(bodies));
    return as<typename Kinds::template MixedGroup<value_t<Bounds>...>>(std::move(made));
  }

  template <typename First, typename... Rest>
  requires(detail::is_bound<std::decay_t<First>> &&
           (detail::is_bound<std::decay_t<Rest>> && ...)) auto group(First&& first,
                                                                     Rest&&... rest) {
    return group(TaskOptions{}, std::forward<First>(first), std::forward<Rest>(rest)...);
  }

  /// A function that submits: `auto fetch_task = queue.bind({.retries = 2}, fetch);` and then
  /// `fetch_task(url)` gives a handle. The queue must outlive it.
  template <typename F>
  auto bind(TaskOptions options, F function) {
    return [this, options = std::move(options), function = std::move(function)](auto&&... args) {
      return this->submit(options, function, std::forward<decltype(args)>(args)...);
    };
  }

 protected:
  using Base::Base;
  ~Submitting() = default;

 private:
  template <typename F, typename... Args>
  static auto make_bound(F&& function, Args&&... arguments) {
    if constexpr (detail::is_bound<std::decay_t<F>> || std::is_same_v<std::decay_t<F>, Command> ||
                  std::is_same_v<std::decay_t<F>, TaskBody>) {
      static_assert(sizeof...(Args) == 0);
      return std::forward<F>(function);
    } else {
      return bound(std::forward<F>(function), std::forward<Args>(arguments)...);
    }
  }

  /// The handle that `submit_one` gives for the call as a body, as what it is known to be.
  template <typename Bound, typename Submit>
  auto typed(Bound&& call, const Submit& submit_one) {
    using Made = std::decay_t<Bound>;
    auto handle = submit_one(Queue::make_body(std::forward<Bound>(call)));
    if constexpr (std::is_same_v<Made, TaskBody>) {
      return handle;
    } else {
      return as<typename Kinds::template Handle<value_t<Made>>>(std::move(handle));
    }
  }

  template <typename F, typename Items>
  using item_value_t = value_t<decltype(detail::bind_item(std::declval<const F&>(),
                                                          *std::begin(std::declval<Items&>())))>;

  template <typename F, typename Items, typename Key>
  static std::vector<RecorderPtr> recorders_of(const CheckpointSpace<Key>& space,
                                               const std::string& name, Items& items) {
    std::vector<RecorderPtr> recorders;
    for (const auto& item : items) {
      recorders.push_back(space.template recorder<item_value_t<F, Items&>>(item, name));
    }
    return recorders;
  }

  template <typename F, typename Items>
  static std::vector<TaskBody> bodies_of(const F& function, Items& items) {
    std::vector<TaskBody> bodies;
    std::transform(
        std::begin(items), std::end(items), std::back_inserter(bodies), [&](auto&& item) {
          return Queue::make_body(detail::bind_item(function, std::forward<decltype(item)>(item)));
        });
    return bodies;
  }

  /// The erased handle or group as what it is known to be.
  template <typename Typed, typename Erased>
  static Typed as(Erased&& erased) {
    return Typed(std::forward<Erased>(erased));
  }

  template <typename T, typename Erased>
  static auto all_as(std::vector<Erased> erased) {
    using Handle = typename Kinds::template Handle<T>;
    std::vector<Handle> handles;
    handles.reserve(erased.size());
    for (auto& handle : erased) handles.push_back(as<Handle>(std::move(handle)));
    return handles;
  }
};

}  // namespace osiiso
