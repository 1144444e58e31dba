// SPDX-License-Identifier: MIT
#include "report/groups.hpp"

namespace osiiso::report {

Groups::Groups(const Results& results) {
  for (const ResultPtr result : results) {
    if (result->group_id.empty()) continue;
    const auto [position, is_new] = positions_.try_emplace(result->group_id, list_.size());
    if (is_new) list_.push_back({.id = result->group_id, .counts = {}});
    RunFacts::Counts& counts = list_[position->second].counts;
    ++counts.total;
    if (result->status == Status::succeeded) ++counts.succeeded;
    if (result->status == Status::failed) ++counts.failed;
    if (result->status == Status::cancelled) ++counts.cancelled;
  }
}

}  // namespace osiiso::report
