// SPDX-License-Identifier: MIT
#include "report/results.hpp"

#include "report/json.hpp"

namespace osiiso::report {

std::string Results::json(std::size_t index) const {
  return list_ != nullptr ? json_of(*(*list_)[index]) : stored_->json(index);
}

Groups Results::groups() const {
  if (list_ == nullptr) return stored_->groups();
  Groups groups;
  for (std::size_t i = 0; i < list_->size(); ++i) groups.add(*(*list_)[i], i);
  return groups;
}

Results results_of(const RunSummary& summary, const RunFacts& facts) {
  return facts.stored ? Results(*facts.stored) : Results(summary.results);
}

Results restored_of(const RunSummary& summary, const RunFacts& facts) {
  return facts.stored_restored ? Results(*facts.stored_restored) : Results(summary.restored);
}

}  // namespace osiiso::report
