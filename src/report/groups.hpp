// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "osiiso/run_summary.hpp"

#include "report/run_facts.hpp"

namespace osiiso::report {

/// The groups of a run by first appearance, with what became of their tasks. Refers to the results,
/// which must live longer.
class Groups {
 public:
  struct Group {
    std::string_view id;
    RunFacts::Counts counts;
  };

  explicit Groups(const ResultList& results);

  const std::vector<Group>& list() const { return list_; }
  /// The position in the list of a group that is in it.
  std::size_t position(std::string_view id) const { return positions_.at(id); }

 private:
  std::vector<Group> list_;
  std::unordered_map<std::string_view, std::size_t> positions_;
};

}  // namespace osiiso::report
