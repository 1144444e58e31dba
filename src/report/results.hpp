// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>

#include "osiiso/run_summary.hpp"

#include "report/groups.hpp"
#include "report/run_facts.hpp"

namespace osiiso::report {

/// Results that are not in memory. Their order is that of submission.
class StoredResults {
 public:
  virtual ~StoredResults() = default;
  virtual std::size_t size() const = 0;
  /// Throws `Error` where it cannot be read.
  virtual ResultPtr at(std::size_t index) const = 0;
  /// The same as a JSON summary has it.
  virtual std::string json(std::size_t index) const = 0;
  virtual const Groups& groups() const = 0;
};

/// The results of a run, wherever they are. Refers to them.
class Results {
 public:
  explicit Results(const ResultList& list) : list_(&list) {}
  explicit Results(const StoredResults& stored) : stored_(&stored) {}

  std::size_t size() const { return list_ != nullptr ? list_->size() : stored_->size(); }
  ResultPtr operator[](std::size_t index) const {
    return list_ != nullptr ? (*list_)[index] : stored_->at(index);
  }
  /// As a JSON summary has it.
  std::string json(std::size_t index) const;
  Groups groups() const;

  class Iterator {
   public:
    Iterator(const Results& results, std::size_t index) : results_(results), index_(index) {}
    ResultPtr operator*() const { return results_[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return index_ != other.index_; }

   private:
    const Results& results_;
    std::size_t index_;
  };
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size()}; }

 private:
  const ResultList* list_ = nullptr;
  const StoredResults* stored_ = nullptr;
};

/// What the run did itself, and what an earlier one had finished.
Results results_of(const RunSummary& summary, const RunFacts& facts);
Results restored_of(const RunSummary& summary, const RunFacts& facts);

}  // namespace osiiso::report
