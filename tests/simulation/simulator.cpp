// SPDX-License-Identifier: MIT
#include "simulation/simulator.hpp"

#include <algorithm>
#include <variant>

namespace osiiso::simulation {

using namespace scheduler;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kMostTasks = 40;

}  // namespace

Simulator::Simulator(std::uint64_t seed, Marks& marks)
    : random_(seed),
      rules_(make_queue(random_)),
      hostility_(random_.pick({0, 5, 20, 60})),
      core_(rules_),
      model_(rules_, marks) {}

QueueRules Simulator::make_queue(Random& random) {
  QueueRules rules;
  rules.workers = random.pick<std::size_t>({1, 1, 2, 3, 5});
  rules.size = random.pick<std::size_t>({0, 0, 0, 1, 2, 4});
  if (random.chance(35)) {
    rules.rate = random.pick({0.5, 1.0, 3.0, 10.0});
    rules.burst = random.pick({1, 1, 2, 3});
  }
  rules.mode = random.pick({Mode::finite, Mode::finite, Mode::infinite});
  rules.fail_policy = random.chance(30) ? FailPolicy::fail_first : FailPolicy::continue_;
  rules.on_timeout = random.pick({OnTimeout::complete, OnTimeout::cancel});
  rules.seed = random.next();
  return rules;
}

/// Few different ones, so that things fall on the same instant.
Duration Simulator::span() {
  return random_.pick<Duration>({0s, 100ms, 200ms, 500ms, 1s, 2s});
}

TaskRules Simulator::make_rules() {
  TaskRules rules;
  rules.priority = random_.pick({3, 3, 3, 1, 2, 7});
  rules.must_complete = random_.chance(25);
  if (random_.chance(40)) {
    rules.retries = random_.between(1, 3);
    rules.retry_delay = span();
    rules.backoff = random_.pick({1.0, 2.0, 0.5, 1e30});
    if (rules.backoff > 2 || random_.chance(20)) rules.max_delay = span() + 1s;
    if (random_.chance(30)) rules.jitter = random_.pick({0.1, 0.5, 1.0});
    rules.retry_timeouts = random_.chance(70);
  }
  if (random_.chance(50)) rules.timeout = span() + 100ms;
  if (random_.chance(60)) rules.abandon_after = span();
  return rules;
}

std::uint64_t Simulator::run() {
  now_ += span();
  if (random_.chance(80)) begin_run();
  const int steps = random_.between(20, 150);
  for (int step = 0; step < steps; ++step) {
    act();
    if (random_.chance(85)) drive();
  }
  settle();
  return model_.trace();
}

/// After each input.
void Simulator::done(bool timers_are_done) {
  model_.take(core_, now_);
  model_.check(core_, timers_are_done);
  react_to_stops();
}

void Simulator::act() {
  const std::size_t choice = random_.below(100);
  if (choice < 22) {
    submit();
  } else if (choice < 70) {
    pass_time();
  } else if (choice < 75) {
    seal_some(50);
  } else if (choice < 80) {
    release_some();
  } else if (choice < 83) {
    spurious_report();
  } else if (choice < 84) {
    count_timeout_anew();
  } else if (choice < 86) {
    rules_.workers = static_cast<std::size_t>(random_.between(1, 5));
    core_.set_workers(rules_.workers);
    model_.set_workers(rules_.workers);
    done();
  } else if (core_.unfinished() == 0 && choice < 90) {
    begin_run();
  } else if (random_.chance(hostility_)) {
    if (choice < 97) {
      cancel_one();
    } else {
      halt();
    }
  }
}

// Building.

void Simulator::submit() {
  if (model_.tasks().size() >= kMostTasks) return;
  if (random_.chance(30)) {
    const std::size_t seats = random_.pick<std::size_t>({0, 1, 1, 2});
    Model::Group group;
    group.index = core_.add_group(seats);
    group.seats = seats;
    for (const auto& other : model_.groups()) {
      if (other.index == group.index) model_.mark("group index used again");
    }
    model_.groups().push_back(group);
  }
  std::vector<int> batch;
  for (int count = random_.between(1, 4); count > 0; --count) {
    const TaskRules& rules = task_rules_.emplace_back(make_rules());
    TaskSpec spec{.rules = &rules};
    std::optional<int> group;
    if (!model_.groups().empty() && random_.chance(60)) {
      const auto id = static_cast<int>(random_.below(model_.groups().size()));
      if (!model_.group(id).sealed) group = id;
    }
    if (group) spec.group = model_.group(*group).index;
    if (group && random_.chance(15)) spec.finally = Scope::group;
    if (!group && random_.chance(8)) spec.finally = Scope::run;
    if (random_.chance(25)) spec.delay = span();
    batch.push_back(model_.add(core_.add(spec), spec, group).id);
  }
  add_needs(batch);
  if (random_.chance(30)) seal_some(30);
  // In any order, and other things may happen in between.
  while (!batch.empty()) {
    const auto at = batch.begin() + static_cast<std::ptrdiff_t>(random_.below(batch.size()));
    Model::Task& task = model_.task(*at);
    batch.erase(at);
    if (!task.end) {
      if (random_.chance(2)) {
        model_.cancelled(task, core_.cancel(task.index, now_));
        done();
      }
      core_.accept(task.index, now_);
      if (!task.end) {
        for (const auto& need : task.needs) {
          const auto* other = std::get_if<TaskIndex>(&need.need);
          if (other && model_.task(need.id).end > State::succeeded) {
            model_.mark("need had ended before acceptance");
          }
        }
        model_.accepted(task, now_);
      }
      done();
    }
    if (random_.chance(5)) drive_once();
  }
}

void Simulator::add_needs(const std::vector<int>& batch) {
  if (random_.chance(40)) return;
  for (const int id : batch) {
    while (random_.chance(40)) maybe_add_need(model_.task(id));
  }
}

/// Adds a need of anything, forward or backward, that makes no cycle.
void Simulator::maybe_add_need(Model::Task& task) {
  if (random_.chance(35) && !model_.groups().empty()) {
    const auto id = static_cast<int>(random_.below(model_.groups().size()));
    const Model::Group& group = model_.group(id);
    const auto waits = [&](int member) { return waits_for(member, task.id); };
    if (group.released || std::any_of(group.members.begin(), group.members.end(), waits)) return;
    core_.need(task.index, group.index);
    task.needs.push_back({group.index, id});
    return;
  }
  const auto id = static_cast<int>(random_.below(model_.tasks().size()));
  const Model::Task& other = model_.task(id);
  if (other.released || waits_for(other.id, task.id)) return;
  core_.need(task.index, other.index);
  task.needs.push_back({other.index, id});
}

/// Whether `from` is, or waits for, `target`, however indirectly.
bool Simulator::waits_for(int from, int target) {
  std::vector<bool> seen(model_.tasks().size());
  std::vector<int> open{from};
  while (!open.empty()) {
    const Model::Task& task = model_.task(open.back());
    open.pop_back();
    if (task.id == target) return true;
    if (seen[static_cast<std::size_t>(task.id)]) continue;
    seen[static_cast<std::size_t>(task.id)] = true;
    for (const auto& need : task.needs) {
      if (std::holds_alternative<TaskIndex>(need.need)) {
        open.push_back(need.id);
      } else {
        const auto& members = model_.group(need.id).members;
        open.insert(open.end(), members.begin(), members.end());
      }
    }
    for (const Model::Task& other : model_.tasks()) {
      const bool is_ahead = task.finally == Scope::run
                                ? other.finally != Scope::run
                                : task.finally == Scope::group && other.group == task.group &&
                                      other.finally == Scope::none;
      if (is_ahead) open.push_back(other.id);
    }
  }
  return false;
}

void Simulator::seal_some(int percent) {
  for (auto& group : model_.groups()) {
    if (group.sealed || !random_.chance(percent)) continue;
    core_.seal(group.index);
    group.sealed = true;
    done();
  }
}

void Simulator::begin_run() {
  std::optional<Duration> timeout;
  if (random_.chance(30)) timeout = random_.pick<Duration>({500ms, 2s, 5s, 10s});
  core_.begin_run(now_, timeout);
  model_.begin_run(now_, timeout);
  done();
}

void Simulator::release_some() {
  for (auto& task : model_.tasks()) {
    if (task.released || !task.end || !random_.chance(60)) continue;
    core_.release(task.index);
    task.released = true;
  }
  for (auto& group : model_.groups()) {
    const bool is_over = std::all_of(group.members.begin(), group.members.end(),
                                     [&](int id) { return model_.task(id).released; });
    if (group.released || !group.sealed || !is_over || !random_.chance(60)) continue;
    core_.release(group.index);
    group.released = true;
  }
  done();
}

// Hostility.

void Simulator::cancel_one() {
  if (model_.tasks().empty()) return;
  Model::Task& task = model_.tasks()[random_.below(model_.tasks().size())];
  if (task.released) return;
  model_.cancelled(task, core_.cancel(task.index, now_));
  done();
}

void Simulator::halt() {
  const Halt halt = random_.pick({Halt::spare_must_complete, Halt::spare_must_complete,
                                  Halt::spare_finally, Halt::spare_nothing});
  model_.asked_to_halt(halt);
  core_.halt(halt, now_);
  done();
}

/// A report that was made is made again, or one is made of an attempt that never was.
void Simulator::spurious_report() {
  if (seen_.empty() || !random_.chance(hostility_)) return;
  report(Report(seen_[random_.below(seen_.size())]));
}

/// A worker is made ready for an attempt that has started, or for one that is over.
void Simulator::count_timeout_anew() {
  for (auto& task : model_.tasks()) {
    if (task.released || task.attempts == 0 || !random_.chance(40)) continue;
    const Instant from = now_ + span();
    const int attempt = task.attempts - (random_.chance(20) ? 1 : 0);
    core_.count_timeout_from(task.index, attempt, from);
    if (attempt != task.attempts || !task.under_way || task.stop) continue;
    task.timed_from = from;
    model_.mark("timeout counted from later");
  }
  done();
}

// Time and the backend.

/// To the next thing that happens, to somewhere before it, or a little further without looking.
void Simulator::pass_time() {
  std::optional<Instant> next = core_.next_due();
  if (alarm_ && (!next || *alarm_ < *next)) next = alarm_;
  if (!reports_.empty() && (!next || reports_.begin()->first < *next)) {
    next = reports_.begin()->first;
  }
  if (!next || random_.chance(15)) return turn_to(now_ + span());
  turn_to(random_.chance(70) ? std::max(now_, *next) : now_ + (std::max(now_, *next) - now_) / 2);
}

void Simulator::turn_to(Instant at) {
  now_ = at;
  // Whether the timer or the report is heard first is anybody's guess.
  if (random_.chance(50)) {
    core_.due(now_);
    done(true);
  }
  run_backend();
}

void Simulator::run_backend() {
  while (!reports_.empty() && reports_.begin()->first <= now_) {
    const Report next = reports_.begin()->second;
    reports_.erase(reports_.begin());
    report(next);
  }
}

void Simulator::report(const Report& report) {
  // Once released, a task may be named by an attempt that was given up and by nobody else.
  const auto& deaf = model_.deaf();
  const bool is_deaf = std::any_of(deaf.begin(), deaf.end(), [&](const Model::Deaf& given_up) {
    return given_up.task == report.task && given_up.attempt == report.attempt;
  });
  if (model_.task(report.task).released && !is_deaf) return;
  const auto expected = model_.report(report.task, report.attempt, report.outcome);
  const auto verdict =
      core_.finished(model_.task(report.task).index, report.attempt, report.outcome, now_);
  if (verdict != expected) throw Violation("finished() tells what the end counted as");
  seen_.push_back(report);
  done();
}

void Simulator::drive() {
  while (drive_once()) {
  }
}

bool Simulator::drive_once() {
  const Next next = core_.next(now_);
  model_.take(core_, now_);
  model_.found(core_, next);
  model_.check(core_, true);
  react_to_stops();
  alarm_.reset();
  if (const auto* wait = std::get_if<Wait>(&next)) alarm_ = wait->until;
  const auto* start = std::get_if<Start>(&next);
  if (!start) return false;
  for (const auto& task : model_.tasks()) {
    if (!task.released && task.index == start->task) started(task.id, start->attempt);
  }
  return true;
}

/// Decides what the attempt will do by itself: succeed, fail, or nothing at all.
void Simulator::started(int task, int attempt) {
  Report fate{.task = task, .attempt = attempt, .outcome = {}};
  fate.outcome.succeeded = !random_.chance(faults_ ? 30 : 0);
  fate.outcome.retryable = random_.chance(80);
  const bool hangs = faults_ && random_.chance(15);
  if (!hangs) reports_.emplace(now_ + span(), fate);
}

/// Decides, for attempts that were asked to stop since the last look, how they take it.
void Simulator::react_to_stops() {
  for (const auto& task : model_.tasks()) {
    if (!task.under_way || !task.stop || task.stop_at != now_) continue;
    const bool is_known = std::any_of(reports_.begin(), reports_.end(), [&](const auto& entry) {
      return entry.second.task == task.id && entry.second.attempt == task.attempts &&
             !entry.second.is_fate;
    });
    if (is_known) continue;
    const bool is_deaf = faults_ && random_.chance(40);
    const Duration late = is_deaf ? random_.pick<Duration>({3s, 8s, 20s}) : span();
    // Whatever it would have done by itself comes too late, or never.
    std::erase_if(reports_, [&](const auto& entry) {
      return entry.second.task == task.id && entry.second.attempt == task.attempts &&
             entry.first > now_ + late;
    });
    reports_.emplace(now_ + late, Report{.task = task.id,
                                         .attempt = task.attempts,
                                         .outcome = {.succeeded = random_.chance(50)},
                                         .is_fate = false});
  }
}

/// The faults stop: nothing new comes, whatever runs ends, and all must be over in bounded time.
void Simulator::settle() {
  faults_ = false;
  for (auto& group : model_.groups()) {
    if (group.sealed) continue;
    core_.seal(group.index);
    group.sealed = true;
    done();
  }
  core_.close(now_);
  model_.close();
  done();
  // Attempts that hang, and those that were given up, report at last.
  for (const auto& task : model_.tasks()) {
    if (task.under_way) reports_.emplace(now_ + 30s, Report{task.id, task.attempts, {}});
  }
  for (const auto& deaf : model_.deaf()) {
    reports_.emplace(now_ + 40s, Report{deaf.task, deaf.attempt, {}});
  }
  for (int step = 0; core_.unfinished() > 0; ++step) {
    if (step == 5000) throw Violation("it does not settle");
    drive();
    if (core_.unfinished() == 0) break;  // time itself may have ended the last
    std::optional<Instant> next = core_.next_due();
    if (alarm_) next = next ? std::min(*next, *alarm_) : alarm_;
    if (!reports_.empty()) {
      next = next ? std::min(*next, reports_.begin()->first) : reports_.begin()->first;
    }
    if (!next) throw Violation("nothing will ever happen, though not all is over");
    turn_to(std::max(now_, *next));
  }
  while (!reports_.empty()) turn_to(std::max(now_, reports_.begin()->first));
  model_.check_over(core_);
  if (!model_.deaf().empty()) throw Violation("a deaf attempt is not accounted for");
}

}  // namespace osiiso::simulation
