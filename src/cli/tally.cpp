// SPDX-License-Identifier: MIT
#include "cli/tally.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "osiiso/error.hpp"

#include "base/format.hpp"
#include "cli/hook_chain.hpp"

namespace osiiso::cli {
namespace {

ResultPtr without_output(const TaskResult& result) {
  auto copy = std::make_shared<TaskResult>(result);
  copy->output = nullptr;
  copy->value.reset();
  copy->exception = nullptr;  // it holds the output, too
  return copy;
}

}  // namespace

Tally::Tally(bool stores_results) {
  if (!stores_results) return;
  try {
    store_ = std::make_shared<report::ResultStore>();
  } catch (const SystemError& error) {
    throw UsageError(base::format("no report can be made: {}", error.what()));
  }
}

void Tally::listen(Hooks& hooks) {
  add_call(hooks.on_complete, [this](const ResultPtr& result) { take(result); });
}

void Tally::take(const ResultPtr& result) {
  if (store_ && error_.empty()) store(*result);
  if (result->restored) ++restored_;
  cancelled_.add(*result);
  if (result->output && !result->output->leaked.empty()) {
    leaked_ += result->output->leaked.size();
    if (leaking_.size() < kMostKept) leaking_.push_back(result);
  }
  if (result->status != Status::failed || failures_.size() == kMostKept) return;
  const bool is_kept_whole = !result->output || output_.take(*result->output);
  failures_.push_back(is_kept_whole ? result : without_output(*result));
}

void Tally::store(const TaskResult& result) {
  try {
    store_->add(result);
  } catch (const SystemError& error) {
    error_ = error.what();
  }
}

void Tally::hand_over(Ended& ended) {
  std::ranges::sort(failures_, {}, [](const ResultPtr& result) { return result->number; });
  ended.summary.results = std::move(failures_);
  ended.cancelled = std::move(cancelled_);
  ended.leaking = std::move(leaking_);
  ended.facts.leaked += leaked_;
  ended.facts.restored_let_go = restored_;
  ended.lost_results = error_;
  if (!store_) return;
  ended.store = store_;
  ended.facts.stored = std::make_shared<report::ResultStore::View>(*store_, false);
  ended.facts.stored_restored = std::make_shared<report::ResultStore::View>(*store_, true);
}

}  // namespace osiiso::cli
