// SPDX-License-Identifier: MIT
// The invariants of core.hpp, derived anew. Not assertions, so that they hold in every build.
#include <cstdio>
#include <cstdlib>
#include <set>
#include <utility>
#include <vector>

#include "scheduler/core.hpp"

namespace osiiso::scheduler {
namespace {

void hold(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken invariant: %s\n", what);
  std::abort();
}

bool under_way(State state) {
  return state == State::running || state == State::stopping;
}

}  // namespace

void Core::check_invariants() const {
  hold(final_tasks_.empty() && !halt_pending_, "no work is left in hand");
  check_counts();
  check_heaps();
  for (Index id = first_live_; id != kNone; id = tasks_[id].next) check_task(id);
  check_groups();
  check_edges();
}

void Core::check_counts() const {
  std::size_t unfinished = 0;
  std::size_t body = 0;
  std::size_t admitted = 0;
  std::size_t ready = 0;
  std::size_t running = 0;
  Index previous = kNone;
  for (Index id = first_live_; id != kNone; id = tasks_[id].next) {
    const Task& task = tasks_[id];
    hold(task.previous == previous, "the live list is linked both ways");
    hold(previous == kNone || tasks_[previous].order < task.order, "it is in submission order");
    previous = id;
    unfinished += task.accepted;
    admitted += task.admitted;
    body += task.finally != Scope::run;
    ready += task.state == State::ready;
    running += under_way(task.state);
  }
  hold(last_live_ == previous, "the live list ends where it says");
  hold(unfinished == unfinished_, "unfinished tasks are counted");
  hold(admitted == admitted_, "admitted tasks are counted");
  hold(body == unfinished_body_, "tasks before the run's finally tasks are counted");
  hold(ready == ready_count_, "ready tasks are counted");
  hold(running == running_, "running attempts are counted");
  hold(rules_.size == 0 || admitted_ <= rules_.size, "no more are admitted than fit");
  hold(line_.empty() || admitted_ == rules_.size, "nobody waits while there is room");

  std::set<std::pair<Index, int>> given_up;
  for (const DeafAttempt& deaf : deaf_) given_up.insert({deaf.task, deaf.attempt});
  hold(given_up.size() == deaf_.size(), "an attempt is given up once");
  std::size_t deaf = 0;
  for (Index id = 0; id < tasks_.size(); ++id) deaf += tasks_[id].deaf;
  hold(deaf == deaf_.size(), "attempts that were given up are counted");
}

void Core::check_heaps() const {
  std::size_t parked = 0;
  for (const Group& group : groups_) parked += group.parked.size();
  std::size_t placed[6] = {};
  std::size_t live = 0;
  for (Index id = first_live_; id != kNone; id = tasks_[id].next) {
    ++placed[static_cast<std::size_t>(tasks_[id].place)];
    ++live;
  }
  const auto count = [&](Place place) { return placed[static_cast<std::size_t>(place)]; };
  hold(count(Place::line) == line_.size() && line_.is_consistent(), "the line is whole");
  hold(count(Place::timers) == timers_.size() && timers_.is_consistent(), "the timers are whole");
  hold(count(Place::ready) == ready_.size() && ready_.is_consistent(), "the ready heap is whole");
  hold(count(Place::overdue) == overdue_.size() && overdue_.is_consistent(),
       "the overdue heap is whole");
  hold(count(Place::parked) == parked, "the parked heaps are whole");

  const auto all_are = [&](const auto& heap, Place place) {
    for (const Index id : heap.items()) hold(tasks_[id].place == place, "it is where it says");
  };
  all_are(line_, Place::line);
  all_are(timers_, Place::timers);
  all_are(ready_, Place::ready);
  all_are(overdue_, Place::overdue);

  std::vector<bool> is_free(tasks_.size());
  for (Index id = free_task_; id != kNone; id = tasks_[id].next) {
    const Task& task = tasks_[id];
    hold(!is_free[id], "an index is free once");
    hold(task.released && task.deaf == 0, "a free index has no attempt that may still report");
    is_free[id] = true;
  }
  for (Index id = 0; id < tasks_.size(); ++id) live += is_final(tasks_[id].state);
  hold(live == tasks_.size(), "what is not live is final");
}

void Core::check_task(Index id) const {
  const Task& task = tasks_[id];
  std::uint32_t blockers = task.accepted ? 0 : 1;
  for (Index edge = task.needs; edge != kNone; edge = edges_[edge].sibling) {
    hold(edges_[edge].dependent == id, "an edge belongs to its dependent");
    blockers += edges_[edge].fate != Edge::Fate::met;
    hold(!task.accepted || edges_[edge].fate <= Edge::Fate::met, "no broken need outlives it");
  }
  hold(blockers == task.blockers, "blockers are counted");
  hold(!task.released && !is_final(task.state), "a live task is neither released nor final");
  hold(task.admitted == (task.state != State::waiting), "who waits is not admitted");
  hold(task.state == State::waiting || task.needs == kNone, "who does not wait needs nothing");
  hold(!task.accepted || is_spared(task) || task.state == State::stopping, "a halt is complete");

  const Place place = task.place;
  switch (task.state) {
    case State::waiting:
      hold(place == (blockers == 0 ? Place::line : Place::none), "waiting: in the line or nowhere");
      break;
    case State::scheduled:
      hold(place == Place::timers, "scheduled: in the timers");
      break;
    case State::ready:
      hold(place == Place::ready || place == Place::parked, "ready: may start or parked");
      break;
    case State::running:
      hold(place == (task.rules->timeout ? Place::timers : Place::none), "running: its timeout");
      break;
    case State::stopping:
      hold(task.rules->abandon_after ? place == Place::timers || place == Place::overdue
                                     : place == Place::none,
           "stopping: its limit");
      hold(place != Place::overdue || deaf_.size() >= workers_ || next_due() == now_,
           "overdue: only beyond the limit");
      break;
    default:
      hold(false, "no other state is live");
  }
}

void Core::check_groups() const {
  struct Found {
    std::size_t unfinished = 0;
    std::size_t body = 0;
    std::size_t taken = 0;
    Index best = kNone;
    std::size_t in_ready_heap = 0;
  };
  std::vector<Found> found(groups_.size());
  const ByPriority order{const_cast<base::Table<Task>*>(&tasks_)};
  for (Index id = first_live_; id != kNone; id = tasks_[id].next) {
    const Task& task = tasks_[id];
    if (task.group == kNone) continue;
    Found& group = found[task.group];
    ++group.unfinished;
    group.body += task.finally == Scope::none;
    group.taken += under_way(task.state);
    group.in_ready_heap += task.place == Place::ready;
    if (task.state != State::ready) continue;
    if (group.best == kNone || order.before(id, group.best)) group.best = id;
  }
  for (Index id = 0; id < groups_.size(); ++id) {
    const Group& group = groups_[id];
    const Found& now = found[id];
    hold(group.unfinished == now.unfinished, "members are counted");
    hold(group.unfinished_body == now.body, "members but the finally tasks are counted");
    hold(group.taken == now.taken, "seats are counted");
    hold(group.parked.is_consistent(), "the parked heap is whole");
    hold(!is_final(group.state) || now.unfinished == 0, "a group ends with its members");
    if (group.seats == 0) {
      hold(group.parked.empty() && group.front == kNone, "without seats nobody is parked");
      continue;
    }
    hold(group.taken <= group.seats, "no more run than there are seats");
    const bool has_seat = group.taken < group.seats;
    hold(group.front == (has_seat ? now.best : kNone),
         "the best is in front while there is a seat");
    hold(now.in_ready_heap == (group.front != kNone), "the others are parked");
  }
}

void Core::check_edges() const {
  std::size_t edges = 0;
  std::size_t open = 0;
  for (Index id = first_live_; id != kNone; id = tasks_[id].next) {
    for (Index edge = tasks_[id].needs; edge != kNone; edge = edges_[edge].sibling) {
      ++edges;
      open += edges_[edge].fate == Edge::Fate::open;
    }
  }
  hold(edges == edges_.live(), "every edge belongs to a live task");

  const auto walk = [&](Index ring, Edge::Kind kind, Index target) {
    if (ring == kNone) return;
    Index edge = ring;
    do {
      const Edge& at = edges_[edge];
      hold(at.fate == Edge::Fate::open && at.kind == kind && at.target == target,
           "a ring holds the open edges of its target");
      hold(edges_[at.next].previous == edge, "a ring is linked both ways");
      --open;
      edge = at.next;
    } while (edge != ring);
  };
  for (Index id = 0; id < tasks_.size(); ++id) {
    hold(!is_final(tasks_[id].state) || tasks_[id].dependents == kNone, "final: dependents told");
    walk(tasks_[id].dependents, Edge::Kind::task, id);
  }
  for (Index id = 0; id < groups_.size(); ++id) {
    const Group& group = groups_[id];
    hold(!is_final(group.state) || group.dependents == kNone, "decided: dependents told");
    hold(!group.sealed || group.unfinished_body > 0 || group.finallys == kNone,
         "the finally tasks of a group that is over may run");
    walk(group.dependents, Edge::Kind::group, id);
    walk(group.finallys, Edge::Kind::body, id);
  }
  walk(run_finallys_, Edge::Kind::run_body, kNone);
  hold(open == 0, "every open edge is in a ring");
}

}  // namespace osiiso::scheduler
