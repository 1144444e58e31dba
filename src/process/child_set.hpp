// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "base/stop_state.hpp"
#include "process/child_run.hpp"
#include "process/task_processes.hpp"

namespace osiiso::process {

/// Many children at once, for an event loop: however many they are, it waits for one descriptor and
/// one deadline. Three descriptors a child, five while they are few. Like `ChildRun` it never waits
/// itself.
///
///     const auto id = children.add(std::move(run), [](ChildResult result) { ... });
///     while (!children.empty()) {
///       // wait until descriptor() is readable or deadline() has come, then
///       children.step(base::now());
///     }
///
/// Not thread-safe. What is called back may add and stop children, but not destroy the set.
class ChildSet {
 public:
  using Id = std::uint64_t;
  using Ended = std::function<void(ChildResult)>;

  /// Throws `SystemError`, as do `add` and `step`.
  ChildSet();
  /// Kills and reaps what runs; nobody is called back.
  ~ChildSet();
  ChildSet(const ChildSet&) = delete;
  ChildSet& operator=(const ChildSet&) = delete;

  /// Takes over a child that was started. `ended` is called once, by `step` or `stop`.
  Id add(std::unique_ptr<ChildRun> run, Ended ended);
  /// As `ChildRun::stop`; nothing happens to one that has ended.
  void stop(Id id, const base::StopRequest& request, base::Instant now);

  /// Waits until at most so many of its children have not executed yet.
  void complete_starts(std::size_t most_left);

  bool empty() const { return size() == 0; }
  std::size_t size() const { return members_.size(); }
  int descriptor() const { return events_.get(); }
  std::optional<base::Instant> deadline() const;
  /// Does a bounded amount of what there is to do; the descriptor stays readable while there is
  /// more.
  void step(base::Instant now);

 private:
  enum Watched : unsigned { kExit, kOut, kErr };
  static constexpr unsigned kWatched = 3;

  struct Member {
    std::unique_ptr<ChildRun> run;
    Ended ended;
    std::array<int, kWatched> watched{-1, -1, -1};  // what is in `events_`
    std::array<bool, kWatched> has_told{};          // what will tell no more until it is asked to
    std::optional<base::Instant> deadline = {};     // what is in `deadlines_`
  };
  using Place = std::unordered_map<Id, Member>::iterator;

  template <typename Act>
  void let(Place place, Act act);
  void watch(Id id, Member& member);
  void watch(Id id, Member& member, unsigned which);
  void unwatch(Member& member) const;

  base::Descriptor events_;  // an epoll of its own
  std::unordered_map<Id, Member> members_;
  std::set<std::pair<base::Instant, Id>> deadlines_;
  std::deque<Id> starting_;  // the oldest first; some may have ended
  OrphanCare care_;
  Id next_ = 0;
};

}  // namespace osiiso::process
