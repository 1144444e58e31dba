// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "osiiso/completions.hpp"
#include "osiiso/duration.hpp"
#include "osiiso/run_summary.hpp"
#include "osiiso/task_handle.hpp"

namespace osiiso {

namespace detail {

const std::string& group_id_of(const queue::GroupRecord& group);

/// The summary of a group's results; its duration is from the first start to the last end.
RunSummary summary_of(const ResultList& results);

template <typename T>
std::vector<stored_t<T>> values_of(const ResultList& results) {
  std::vector<stored_t<T>> values;
  values.reserve(results.size());
  for (const auto& result : results) values.push_back(stored_value_of<T>(*result));
  return values;
}

template <typename... Ts>
std::tuple<stored_t<Ts>...> tuple_of(const ResultList& results) {
  return [&]<std::size_t... Is>(std::index_sequence<Is...>) {
    return std::tuple<stored_t<Ts>...>(stored_value_of<Ts>(*results[Is])...);
  }
  (std::index_sequence_for<Ts...>());
}

}  // namespace detail

/// What every group can do: tasks under a common identifier, in submission order. Cheap to copy.
/// `Handle` is the kind of handle that its queue gives.
template <typename Handle>
class AnyTaskGroup {
 public:
  AnyTaskGroup(std::shared_ptr<queue::Engine> engine, std::shared_ptr<queue::GroupRecord> group,
               std::vector<Handle> handles)
      : engine_(std::move(engine)),
        group_(std::move(group)),
        handles_(std::make_shared<const std::vector<Handle>>(std::move(handles))) {}

  const std::string& group_id() const { return detail::group_id_of(*group_); }
  const std::vector<Handle>& handles() const { return *handles_; }
  std::size_t size() const { return handles_->size(); }
  auto begin() const { return handles_->begin(); }
  auto end() const { return handles_->end(); }

  /// Cancels what is not final; how many will end cancelled by it.
  std::size_t cancel() const {
    std::size_t count = 0;
    for (const auto& handle : *handles_) count += handle.cancel() ? 1 : 0;
    return count;
  }

  /// For `TaskOptions::needs`.
  operator TaskNeed() const { return {engine_, nullptr, group_}; }  // NOLINT: as with handles

 protected:
  /// The results of all members, which are final. Throws `ExecutionError` if one failed or was
  /// cancelled, `StateError` if one is not final.
  ResultList succeeded() const {
    RunSummary summary;
    for (const auto& handle : *handles_) summary.add(handle.result());
    summary.raise_for_errors(true);
    return summary.results;
  }

 private:
  std::shared_ptr<queue::Engine> engine_;
  std::shared_ptr<queue::GroupRecord> group_;
  std::shared_ptr<const std::vector<Handle>> handles_;
};

/// A group of a queue whose calls block.
class AnySyncTaskGroup : public AnyTaskGroup<AnySyncTaskHandle> {
 public:
  using AnyTaskGroup::AnyTaskGroup;

  /// Blocks until every member is final; `timeout` is one budget for all, past it `TimeoutError`.
  /// The summary is in submission order and has detached members in it.
  RunSummary wait(std::optional<Duration> timeout = {}) const;

  /// The handles in order of completion, as they end; see `iter_completed`.
  Completions<AnySyncTaskHandle> as_completed(std::optional<Duration> timeout = {}) const {
    return iter_completed(handles(), timeout);
  }
};

/// One callable over inputs: all values have one type.
template <typename T>
class SyncTaskGroup : public AnySyncTaskGroup {
 public:
  using AnySyncTaskGroup::AnySyncTaskGroup;
  /// The group whose members are known to return these types.
  explicit SyncTaskGroup(AnySyncTaskGroup erased) : AnySyncTaskGroup(std::move(erased)) {}

  /// The values in submission order; what cannot be copied comes as a `std::shared_ptr` to it.
  /// Throws `ExecutionError` if a member failed or was cancelled, `StateError` if one is not final.
  std::vector<detail::stored_t<T>> values() const { return detail::values_of<T>(succeeded()); }
};

/// Mixed callables: a value of each.
template <typename... Ts>
class SyncMixedGroup : public AnySyncTaskGroup {
 public:
  using AnySyncTaskGroup::AnySyncTaskGroup;
  /// The group whose members are known to return these types.
  explicit SyncMixedGroup(AnySyncTaskGroup erased) : AnySyncTaskGroup(std::move(erased)) {}

  /// The values in submission order, `std::monostate` for a callable that returns nothing. Throws
  /// like `SyncTaskGroup::values`.
  std::tuple<detail::stored_t<Ts>...> values() const {
    return detail::tuple_of<Ts...>(succeeded());
  }
};

}  // namespace osiiso
