// SPDX-License-Identifier: MIT
#include "cli/tally.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "cli/hook_chain.hpp"

namespace osiiso::cli {
namespace {

/// Whether a report tells of more than the failures.
bool needs_results(const RunOptions& options) {
  return options.json || std::ranges::any_of(options.reports, [](const ReportRequest& report) {
           return report.kind != report::Kind::text;
         });
}

ResultPtr without_output(const TaskResult& result) {
  auto copy = std::make_shared<TaskResult>(result);
  copy->output = nullptr;
  copy->value.reset();
  copy->exception = nullptr;  // it holds the output, too
  return copy;
}

ResultList in_order(ResultList results) {
  std::ranges::sort(results, {}, [](const ResultPtr& result) { return result->number; });
  return results;
}

}  // namespace

Tally::Tally(const RunOptions& options, Limits limits) : limits_(limits), output_(limits.output) {
  if (needs_results(options)) store_ = std::make_shared<report::ResultStore>();
}

void Tally::listen(Hooks& hooks) {
  add_call(hooks.on_complete, [this](const ResultPtr& result) { take(result); });
}

void Tally::take(const ResultPtr& result) {
  cancelled_.add(*result);
  note_leaked(result);
  if (result->detached && !result->restored) return take_detached(result);
  if (store_) store_->add(result);
  if (result->restored) ++restored_;
  if (result->status != Status::failed || failures_.size() == limits_.failures) return;
  const bool is_kept_whole = !result->output || output_.take(*result->output);
  failures_.push_back(is_kept_whole ? result : without_output(*result));
}

void Tally::take_detached(const ResultPtr& result) {
  detached_.add(result->status);
  if (result->status == Status::failed) detached_failures_.push_back(result);
}

void Tally::note_leaked(const ResultPtr& result) {
  if (!result->output || result->output->leaked.empty()) return;
  leaked_ += result->output->leaked.size();
  if (leaking_.size() < limits_.leaking) leaking_.push_back(result);
}

void Tally::hand_over(Ended& ended) {
  ended.summary.results = in_order(std::move(failures_));
  ended.detached_failures = in_order(std::move(detached_failures_));
  ended.leaking = in_order(std::move(leaking_));
  ended.cancelled = std::move(cancelled_);
  ended.facts.detached = detached_;
  ended.facts.leaked += leaked_;
  ended.facts.restored_let_go = restored_;
  if (!store_) return;
  ended.store = store_;
  ended.facts.stored = std::make_shared<report::ResultStore::View>(*store_, false);
  ended.facts.stored_restored = std::make_shared<report::ResultStore::View>(*store_, true);
}

}  // namespace osiiso::cli
