// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "osiiso/shared_text.hpp"

#include "report/results.hpp"
#include "report/run_facts.hpp"

namespace osiiso::report {

/// The groups of a run by first appearance, with what became of their tasks.
class Groups {
 public:
  struct Group {
    SharedText id;
    RunFacts::Counts counts;
  };

  explicit Groups(const Results& results);

  const std::vector<Group>& list() const { return list_; }
  /// The position in the list of a group that is in it.
  std::size_t position(std::string_view id) const { return positions_.at(id); }

 private:
  std::vector<Group> list_;
  std::unordered_map<std::string_view, std::size_t> positions_;
};

}  // namespace osiiso::report
