// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/temp_file.hpp"
#include "report/results.hpp"

namespace osiiso::report {

/// Keeps results in a temporary file, as JSON summaries have them, in whatever order they come.
/// Needs memory for a few bytes of each only when they are read. Throws `SystemError`.
class ResultStore {
 public:
  void add(const TaskResult& result);

  /// What was added, by number; refers to the store. Those that were restored, or the others.
  class View final : public StoredResults {
   public:
    View(const ResultStore& store, bool restored);
    std::size_t size() const override { return places_.size(); }
    ResultPtr at(std::size_t index) const override;
    std::string json(std::size_t index) const override;

   private:
    struct Place {
      std::uint64_t at;
      std::size_t size;
    };

    const ResultStore& store_;
    const bool restored_;
    std::vector<Place> places_;
  };

 private:
  base::TempFile texts_;
  base::TempFile index_;  // by number: where the text is
};

}  // namespace osiiso::report
