// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "osiiso/task_result.hpp"

namespace osiiso::cli {

/// The tasks of a run that were cancelled, as people are told of them: few by name, all counted, in
/// order of submission, however they come.
class Cancellations {
 public:
  /// Takes no notice of one that ended otherwise.
  void add(const TaskResult& result);

  /// What was under way, behind `intro`, and how many were never started; empty: none of either.
  std::string cut_short(const std::string& intro) const;
  /// A line for each reason why tasks were not started: what they need was not there.
  std::vector<std::string> not_started() const;
  /// Both for people, line by line.
  std::vector<std::string> lines() const;

 private:
  struct Broken {
    std::string first;
    std::uint64_t number = 0;  // of the first one
    std::size_t count = 0;
  };

  void add_broken(const TaskResult& result);

  std::map<std::uint64_t, std::string> begun_;  // the first of them by number, with their times
  std::size_t begun_count_ = 0;
  std::size_t never_started_ = 0;
  std::map<std::string, Broken> broken_;  // by the need, as the results say it
};

}  // namespace osiiso::cli
