// SPDX-License-Identifier: MIT
// How tasks end, and what their ends lead to: needs, groups, finally tasks, room, halts.
#include <algorithm>
#include <cassert>

#include "scheduler/core.hpp"

namespace osiiso::scheduler {
namespace {

bool under_way(State state) {
  return state == State::running || state == State::stopping;
}

}  // namespace

/// The task is in no heap.
void Core::finalise(Index id, State state, CancelReason reason, std::optional<Need> need) {
  Task& task = tasks_[id];
  assert(task.place == Place::none && !is_final(task.state));
  drop_edges(id);
  unlink_live(id);
  task.state = state;
  if (task.accepted) --unfinished_;
  if (task.admitted) --admitted_;
  final_tasks_.push_back(id);
  effects_.push_back(Finished{TaskIndex{id}, state, reason, need});
  if (state == State::failed && rules_.fail_policy == FailPolicy::fail_first &&
      halt_ == Halt::none) {
    raise_halt(Halt::spare_must_complete, false);
  }
}

void Core::settle(bool run_finallys) {
  for (;;) {
    // Needs before the halt, so that a task whose need failed is told so rather than swept away.
    // The list grows on the way.
    for (std::size_t told = 0; told < final_tasks_.size(); ++told) {
      tell_dependents(final_tasks_[told]);
    }
    final_tasks_.clear();
    if (halt_pending_) {
      halt_pending_ = false;
      carry_out_halt();
    } else if (!line_.empty() && admitted_ < rules_.size) {
      const Index id = line_.top();
      take_out(id);
      admit(id);
    } else if (run_finallys && run_finallys_due()) {
      close_ring(Edge::Kind::run_body, kNone, State::succeeded);
    } else {
      return;
    }
  }
}

void Core::tell_dependents(Index id) {
  const Task& task = tasks_[id];
  if (task.finally != Scope::run) --unfinished_body_;
  close_ring(Edge::Kind::task, id, task.state);
  if (task.group == kNone) return;
  Group& group = groups_[task.group];
  --group.unfinished;
  if (task.finally == Scope::none) --group.unfinished_body;
  group.any_failed |= task.state == State::failed;
  group.any_cancelled |= task.state == State::cancelled;
  update_group(task.group);
}

void Core::update_group(Index id) {
  Group& group = groups_[id];
  if (!group.sealed || is_final(group.state)) return;
  if (group.unfinished_body == 0) close_ring(Edge::Kind::body, id, State::succeeded);
  if (group.unfinished != 0) return;
  group.state = group.any_failed      ? State::failed
                : group.any_cancelled ? State::cancelled
                                      : State::succeeded;
  close_ring(Edge::Kind::group, id, group.state);
}

/// Tells everybody who waits for the target that it has ended.
void Core::close_ring(Edge::Kind kind, Index target, State outcome) {
  // Each step may take further edges out of the ring, so it is asked anew for its first.
  for (Index& ring = ring_of(kind, target); ring != kNone;) {
    const Index id = edges_.first(ring);
    edges_.unlink(id, ring);
    Edge& edge = edges_[id];
    const Index dependent = edge.dependent;
    if (outcome == State::succeeded) {
      edge.fate = Edge::Fate::met;
      unblock(dependent);
      continue;
    }
    edge.fate = outcome == State::failed ? Edge::Fate::failed : Edge::Fate::cancelled;
    if (tasks_[dependent].accepted) cancel_for_need(dependent, edge);
  }
}

Index& Core::ring_of(Edge::Kind kind, Index target) {
  switch (kind) {
    case Edge::Kind::task:
      return tasks_[target].dependents;
    case Edge::Kind::group:
      return groups_[target].dependents;
    case Edge::Kind::body:
      return groups_[target].finallys;
    case Edge::Kind::run_body:
      break;
  }
  return run_finallys_;
}

void Core::drop_edges(Index id) {
  for (Index& chain = tasks_[id].needs; chain != kNone;) {
    const Index edge = chain;
    chain = edges_[edge].sibling;
    if (edges_[edge].fate == Edge::Fate::open) {
      edges_.unlink(edge, ring_of(edges_[edge].kind, edges_[edge].target));
    }
    edges_.release(edge);
  }
}

void Core::cancel_for_need(Index id, const Edge& edge) {
  const CancelReason reason =
      edge.fate == Edge::Fate::failed ? CancelReason::need_failed : CancelReason::need_cancelled;
  const Need need =
      edge.kind == Edge::Kind::task ? Need{TaskIndex{edge.target}} : Need{GroupIndex{edge.target}};
  finalise(id, State::cancelled, reason, need);
}

/// Of a task without an attempt under way.
void Core::cancel_waiting(Index id) {
  take_out(id);
  finalise(id, State::cancelled,
           tasks_[id].attempts == 0 ? CancelReason::before_execution : CancelReason::cancelled);
}

bool Core::cancel(TaskIndex task, Instant now) {
  advance(now);
  const auto id = static_cast<Index>(task);
  const State state = tasks_[id].state;
  if (is_final(state)) return false;
  if (state == State::running) {
    ask_to_stop(id, StopRequested::Why::cancel);
  } else if (state == State::stopping) {
    tasks_[id].timed_out = false;
  } else {
    cancel_waiting(id);
  }
  settle();
  return true;
}

void Core::halt(Halt halt, Instant now) {
  advance(now);
  if (halt > halt_) raise_halt(halt, false);
  settle();
}

/// A run's timeout is told even where it finds a halt as strong as its own.
void Core::raise_halt(Halt halt, bool timed_out) {
  halt_pending_ |= halt > halt_;
  halt_ = std::max(halt_, halt);
  timed_out_ |= timed_out;
  effects_.push_back(Halted{halt_, timed_out});
}

/// Scheduled, then queued, then running tasks, each in order of submission.
void Core::carry_out_halt() {
  const auto sweep = [this](auto is_meant) {
    for (Index id = first_live_; id != kNone;) {
      const Index next = tasks_[id].next;
      const Task& task = tasks_[id];
      if (task.accepted && !is_spared(task) && is_meant(task.state)) halt_task(id);
      id = next;
    }
  };
  sweep([](State state) { return state == State::scheduled; });
  sweep([](State state) { return state == State::waiting || state == State::ready; });
  sweep(under_way);
}

void Core::halt_task(Index id) {
  const Task& task = tasks_[id];
  const bool forced = halt_ == Halt::spare_nothing;
  if (!under_way(task.state)) {
    cancel_waiting(id);
  } else if (task.state == State::running) {
    ask_to_stop(id, forced ? StopRequested::Why::kill : StopRequested::Why::cancel);
  } else if (forced) {
    effects_.push_back(StopRequested{TaskIndex{id}, task.attempts, StopRequested::Why::kill});
  }
}

bool Core::is_spared(const Task& task) const {
  switch (halt_) {
    case Halt::none:
      return true;
    case Halt::spare_must_complete:
      return task.rules->must_complete || task.finally != Scope::none;
    case Halt::spare_finally:
      return task.finally != Scope::none;
    case Halt::spare_nothing:
      break;
  }
  return false;
}

bool Core::accepts(const TaskRules& rules) const {
  return halt_ == Halt::none || (halt_ == Halt::spare_must_complete && rules.must_complete);
}

bool Core::run_finallys_due() const {
  return run_finallys_ != kNone && unfinished_body_ == 0 &&
         (rules_.mode == Mode::finite || halt_ != Halt::none || closed_);
}

}  // namespace osiiso::scheduler
