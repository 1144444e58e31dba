// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/temp_file.hpp"
#include "report/groups.hpp"
#include "report/output_budget.hpp"
#include "report/results.hpp"

namespace osiiso::report {

/// Keeps results, in whatever order they come: the first ones as they are, the others as JSON in a
/// temporary file, where they need no memory until they are read, and then a few bytes each. What
/// the file does not take is kept in memory, too.
class ResultStore {
 public:
  void add(const ResultPtr& result);

  /// What was added, by number; refers to the store. Those that were restored, or the others.
  class View final : public StoredResults {
   public:
    View(const ResultStore& store, bool restored);
    std::size_t size() const override { return numbers_.size(); }
    ResultPtr at(std::size_t index) const override;
    std::string json(std::size_t index) const override;
    const Groups& groups() const override { return store_.groups_[restored_ ? 1 : 0]; }

   private:
    void add_written();

    const ResultStore& store_;
    const bool restored_;
    std::vector<std::uint64_t> numbers_;
  };

 private:
  struct Files {
    base::TempFile texts;
    base::TempFile index;  // by number: where the text is
  };

  bool has_room_for(const TaskResult& result);
  bool write(const TaskResult& result);
  std::string read(std::uint64_t number) const;

  std::map<std::uint64_t, ResultPtr> kept_;  // by number
  OutputBudget kept_output_{std::size_t{16} << 20};
  std::optional<Files> files_;    // none: not needed so far
  bool is_file_usable_ = true;    // until one failed
  std::array<Groups, 2> groups_;  // of the others, and of those that were restored
};

}  // namespace osiiso::report
