// SPDX-License-Identifier: MIT
#include "report/groups.hpp"

#include <algorithm>

namespace osiiso::report {

void Groups::add(const TaskResult& result, std::uint64_t place) {
  if (result.group_id.empty()) return;
  const auto [known, is_new] = groups_.try_emplace(result.group_id);
  Group& group = known->second;
  if (is_new) group = {.id = result.group_id, .first = place};
  group.first = std::min(group.first, place);
  group.counts.add(result.status);
}

std::vector<Groups::Group> Groups::list() const {
  std::vector<Group> list;
  for (const auto& [id, group] : groups_) list.push_back(group);
  std::ranges::sort(list, {}, &Group::first);
  return list;
}

}  // namespace osiiso::report
