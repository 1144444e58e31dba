// SPDX-License-Identifier: MIT
// Building, admission and looking.
#include "scheduler/core.hpp"

#include <algorithm>
#include <cassert>
#include <utility>
#include <variant>

namespace osiiso::scheduler {
namespace {

Index raw(TaskIndex task) {
  return static_cast<Index>(task);
}
Index raw(GroupIndex group) {
  return static_cast<Index>(group);
}

}  // namespace

Core::Core(const QueueRules& rules)
    : rules_(rules), workers_(rules.workers), gate_(rules.rate, rules.burst), jitter_(rules.seed) {}

Core::~Core() = default;

GroupIndex Core::add_group(std::size_t seats) {
  Index made = free_group_;
  if (made != kNone) {
    free_group_ = groups_[made].next_free;
    Group fresh(&tasks_);
    fresh.parked = std::move(groups_[made].parked);  // for its memory
    groups_[made] = std::move(fresh);
  } else {
    made = static_cast<Index>(groups_.size());
    groups_.emplace_back(&tasks_);
  }
  groups_[made].seats = seats;
  return GroupIndex{made};
}

TaskIndex Core::add(const TaskSpec& spec) {
  assert(spec.rules && (spec.group || spec.finally != Scope::group));
  Index made = free_task_;
  if (made != kNone) {
    free_task_ = tasks_[made].next;
    tasks_[made] = Task{};
  } else {
    made = static_cast<Index>(tasks_.size());
    tasks_.push_back({});
  }
  Task& task = tasks_[made];
  task.rules = spec.rules;
  task.order = next_order_++;
  task.at = Instant{spec.delay.value_or(Duration::zero())};
  task.finally = spec.finally;
  task.blockers = 1;
  link_live(made);
  if (spec.finally != Scope::run) ++unfinished_body_;

  if (spec.group) {
    task.group = raw(*spec.group);
    Group& group = groups_[task.group];
    assert(!group.sealed);
    ++group.unfinished;
    ++group.unreleased;
    if (spec.finally == Scope::none) ++group.unfinished_body;
  }
  if (spec.finally == Scope::group) {
    const Index edge =
        edges_.add({.dependent = made, .target = task.group, .kind = Edge::Kind::body}, task.needs);
    edges_.link(edge, groups_[task.group].finallys);
    ++task.blockers;
  }
  return TaskIndex{made};
}

void Core::need(TaskIndex task, Need need) {
  const Index dependent = raw(task);
  assert(!tasks_[dependent].accepted);
  if (is_final(tasks_[dependent].state)) return;

  const bool on_task = std::holds_alternative<TaskIndex>(need);
  const Index target = on_task ? raw(std::get<TaskIndex>(need)) : raw(std::get<GroupIndex>(need));
  const State outcome = on_task ? tasks_[target].state : groups_[target].state;
  if (outcome == State::succeeded) return;

  Edge edge{.dependent = dependent,
            .target = target,
            .kind = on_task ? Edge::Kind::task : Edge::Kind::group};
  if (outcome == State::failed) edge.fate = Edge::Fate::failed;
  if (outcome == State::cancelled) edge.fate = Edge::Fate::cancelled;
  const Index made = edges_.add(edge, tasks_[dependent].needs);
  if (edge.fate == Edge::Fate::open) edges_.link(made, ring_of(edge.kind, target));
  ++tasks_[dependent].blockers;
}

void Core::seal(GroupIndex group) {
  groups_[raw(group)].sealed = true;
  update_group(raw(group));
  settle();
}

void Core::accept(TaskIndex task, Instant now) {
  advance(now);
  const Index id = raw(task);
  Task& accepted = tasks_[id];
  assert(!accepted.accepted);
  if (is_final(accepted.state)) return;  // cancelled meanwhile
  accepted.accepted = true;
  accepted.at = base::saturating_add(now_, accepted.at.time_since_epoch());
  ++unfinished_;

  Index broken = kNone;  // the first need that has already ended otherwise
  for (Index edge = accepted.needs; edge != kNone; edge = edges_[edge].sibling) {
    if (edges_[edge].fate > Edge::Fate::met) broken = edge;
  }
  if (broken != kNone) {
    cancel_for_need(id, edges_[broken]);
  } else if (!is_spared(accepted)) {
    cancel_waiting(id);
  } else {
    if (accepted.finally == Scope::run) {
      const Index edge =
          edges_.add({.dependent = id, .kind = Edge::Kind::run_body}, accepted.needs);
      edges_.link(edge, run_finallys_);
      ++accepted.blockers;
    }
    unblock(id);
  }
  settle(false);
}

void Core::restore(TaskIndex task, Instant now) {
  advance(now);
  assert(!tasks_[raw(task)].accepted);
  finalise(raw(task), State::succeeded);
  settle(false);
}

void Core::advance(Instant now) {
  now_ = std::max(now_, now);
}

void Core::unblock(Index task) {
  assert(tasks_[task].blockers > 0 && tasks_[task].state == State::waiting);
  if (--tasks_[task].blockers != 0) return;
  drop_edges(task);
  if (rules_.size == 0) {
    admit(task);
  } else {
    tasks_[task].place = Place::line;
    line_.push(task);
  }
}

void Core::admit(Index task) {
  tasks_[task].admitted = true;
  ++admitted_;
  if (tasks_[task].at > now_) {
    schedule(task, tasks_[task].at);
  } else {
    make_ready(task);
  }
}

void Core::schedule(Index task, Instant at) {
  tasks_[task].state = State::scheduled;
  tasks_[task].at = at;
  tasks_[task].place = Place::timers;
  timers_.push(task);
}

void Core::make_ready(Index id) {
  Task& task = tasks_[id];
  task.state = State::ready;
  ++ready_count_;
  if (task.group == kNone || groups_[task.group].seats == 0) {
    task.place = Place::ready;
    ready_.push(id);
    return;
  }
  Group& group = groups_[task.group];
  if (group.front != kNone && ByPriority{&tasks_}.before(id, group.front)) {
    const Index worse = std::exchange(group.front, kNone);
    ready_.erase(worse);
    tasks_[worse].place = Place::parked;
    group.parked.push(worse);
  }
  task.place = Place::parked;
  group.parked.push(id);
  promote(group);
}

void Core::promote(Group& group) {
  if (group.front != kNone || group.taken >= group.seats || group.parked.empty()) return;
  group.front = group.parked.top();
  group.parked.erase(group.front);
  tasks_[group.front].place = Place::ready;
  ready_.push(group.front);
}

void Core::take_out(Index id) {
  Task& task = tasks_[id];
  if (task.state == State::ready) --ready_count_;
  switch (std::exchange(task.place, Place::none)) {
    case Place::none:
      break;
    case Place::line:
      line_.erase(id);
      break;
    case Place::timers:
      timers_.erase(id);
      break;
    case Place::overdue:
      overdue_.erase(id);
      break;
    case Place::parked:
      groups_[task.group].parked.erase(id);
      break;
    case Place::ready:
      ready_.erase(id);
      if (task.group != kNone && groups_[task.group].front == id) {
        groups_[task.group].front = kNone;
        promote(groups_[task.group]);
      }
      break;
  }
}

Halt Core::halted() const {
  return halt_;
}
bool Core::timed_out() const {
  return timed_out_;
}
std::size_t Core::unfinished() const {
  return unfinished_;
}
std::size_t Core::running() const {
  return running_;
}
std::size_t Core::ready() const {
  return ready_count_;
}
State Core::state(TaskIndex task) const {
  return tasks_[raw(task)].state;
}
int Core::attempts(TaskIndex task) const {
  return tasks_[raw(task)].attempts;
}
void Core::set_workers(std::size_t workers) {
  workers_ = workers;
}

std::span<const Effect> Core::take_effects() {
  taken_effects_.clear();
  std::swap(effects_, taken_effects_);
  return taken_effects_;
}

void Core::release(TaskIndex task) {
  Task& released = tasks_[raw(task)];
  assert(is_final(released.state) && !released.released);
  released.released = true;
  if (released.group != kNone) --groups_[released.group].unreleased;
  if (released.deaf == 0) free_index(raw(task));
}

void Core::release(GroupIndex group) {
  Group& released = groups_[raw(group)];
  assert(is_final(released.state) && released.unreleased == 0);
  released.state = State::waiting;
  released.next_free = free_group_;
  free_group_ = raw(group);
}

void Core::free_index(Index task) {
  tasks_[task].next = free_task_;
  free_task_ = task;
}

void Core::link_live(Index task) {
  tasks_[task].previous = last_live_;
  (last_live_ == kNone ? first_live_ : tasks_[last_live_].next) = task;
  last_live_ = task;
}

void Core::unlink_live(Index id) {
  Task& task = tasks_[id];
  (task.previous == kNone ? first_live_ : tasks_[task.previous].next) = task.next;
  (task.next == kNone ? last_live_ : tasks_[task.next].previous) = task.previous;
  task.previous = task.next = kNone;
}

}  // namespace osiiso::scheduler
