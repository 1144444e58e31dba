// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "simulation/model.hpp"
#include "simulation/random.hpp"

namespace osiiso::simulation {

/// Plays one queue's life from a seed, on a clock of its own: tasks of all kinds are submitted, a
/// hostile backend runs them (slow, failing, hanging, deaf to stop, reporting late and twice), and
/// they are cancelled, halted and timed out at any instant, until the faults stop and everything
/// must settle. The model checks every step; the first surprise throws `Violation`.
class Simulator {
 public:
  Simulator(std::uint64_t seed, Marks& marks);

  /// A digest of everything that happened.
  std::uint64_t run();

 private:
  /// What will become of an attempt, as far as its backend has a say.
  struct Report {
    int task;
    int attempt;
    scheduler::Outcome outcome;
    bool is_fate = true;  // what it does when nobody asks it to stop
  };

  static scheduler::QueueRules make_queue(Random& random);
  scheduler::TaskRules make_rules();
  Duration span();

  // Inputs.
  void act();
  void submit();
  void add_needs(const std::vector<int>& batch);
  void maybe_add_need(Model::Task& task);
  bool waits_for(int from, int target);
  void seal_some(int percent);
  void cancel_one();
  void spurious_report();
  void count_timeout_anew();
  void halt();
  void begin_run();
  void release_some();
  void pass_time();
  void turn_to(Instant at);
  void run_backend();
  void drive();
  bool drive_once();
  void started(int task, int attempt);
  void react_to_stops();
  void report(const Report& report);
  void settle();
  void done(bool timers_are_done = false);

  Random random_;
  scheduler::QueueRules rules_;
  int hostility_;  // how often something bad is done, in percent
  scheduler::Core core_;
  Model model_;
  std::deque<scheduler::TaskRules> task_rules_;
  std::multimap<Instant, Report> reports_;
  std::vector<Report> seen_;  // reports to be made once more
  Instant now_{};
  std::optional<Instant> alarm_;  // what the last `next` said to wait for
  bool faults_ = true;            // off while everything settles
};

}  // namespace osiiso::simulation
