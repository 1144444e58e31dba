// SPDX-License-Identifier: MIT
#pragma once

#include <any>
#include <cstddef>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "osiiso/duration.hpp"
#include "osiiso/error.hpp"
#include "osiiso/task_result.hpp"

namespace osiiso {

/// Results are shared between the summary and the handles, and never change.
using ResultPtr = std::shared_ptr<const TaskResult>;
using ResultList = std::vector<ResultPtr>;

/// Tasks of a run or group failed or were cancelled. The text counts them, as in
/// `1 task(s) failed; 2 task(s) cancelled`.
class ExecutionError : public Error {
 public:
  ExecutionError(const std::string& message, ResultList results)
      : Error(message), results_(std::make_shared<const ResultList>(std::move(results))) {}

  /// The failed results, then the cancelled ones, each in submission order.
  const ResultList& results() const { return *results_; }

 private:
  std::shared_ptr<const ResultList> results_;
};

/// What came of a run or of a group: the counts, and every result in submission order. Detached
/// tasks are in no summary of a run, unless they were restored. A plain value.
struct RunSummary {
  std::size_t total_submitted = 0;
  std::size_t succeeded = 0;
  std::size_t failed = 0;
  std::size_t cancelled = 0;
  bool timed_out = false;  ///< whether the run's timeout passed
  Duration duration{0};    ///< wall clock time of the run
  ResultList results;
  ResultList restored;  ///< tasks that an earlier run had finished (`Recorder`); in no count

  /// Adds a final result: to `results` and to the counts.
  void add(ResultPtr result);
  /// Adds a final result to the counts alone.
  void count(const TaskResult& result);

  /// Nothing failed, nothing was cancelled, not timed out. An empty run is ok.
  bool ok() const;

  /// `PASSED`, `COMPLETED WITH ERRORS` or `TIMED OUT`.
  const char* status() const;

  /// The values of the succeeded tasks, in the order of `results`.
  std::vector<std::any> values() const;
  /// The failed results.
  ResultList errors() const;
  ResultList successes() const;
  ResultList cancellations() const;

  std::map<std::string, ResultPtr> by_task_id() const;
  /// Names need not be unique.
  std::map<std::string, ResultList> by_name() const;
  /// In order of first appearance; what is in no group stands under none.
  std::vector<std::pair<std::optional<std::string>, ResultList>> by_group() const;

  /// Throws `ExecutionError` if a task failed (or, on request, was cancelled).
  void raise_for_errors(bool include_cancelled = false) const;

  /// Throws unless `ok()`: `ExecutionError` with cancelled tasks included, whose text is
  /// `run timed out` where that is all that is wrong. What `run` does when it is strict.
  void raise_unless_ok() const;

  /// Writes the report that a person reads at a glance; at most `most_failures` of them are listed.
  void display(std::ostream& out, std::size_t most_failures = static_cast<std::size_t>(-1)) const;
};

}  // namespace osiiso
