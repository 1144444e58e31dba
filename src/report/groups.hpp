// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "osiiso/shared_text.hpp"
#include "osiiso/task_result.hpp"

#include "report/run_facts.hpp"

namespace osiiso::report {

/// The groups of a run, with what became of their tasks.
class Groups {
 public:
  struct Group {
    SharedText id;
    std::uint64_t first = 0;  // where its first task stands
    RunFacts::Counts counts = {};
  };

  /// A result that stands at `place` among all; they may come in any order.
  void add(const TaskResult& result, std::uint64_t place);
  /// By first appearance.
  std::vector<Group> list() const;

 private:
  std::unordered_map<std::string_view, Group> groups_;  // by their ids, which they hold
};

}  // namespace osiiso::report
