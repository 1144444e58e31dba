// SPDX-License-Identifier: MIT
#pragma once

#include <random>
#include <string>
#include <vector>

#include "osiiso/run_summary.hpp"

#include "report/run_facts.hpp"

namespace osiiso::test {

/// A final result with nothing in it but what is named here.
TaskResult result(std::string name, Status status, std::string message = {}, int attempts = 1);

/// The summary of a run whose results were added in this order.
RunSummary summary_of(const std::vector<TaskResult>& results, Duration duration = {});

/// The example of the manual: five tasks, two of which failed.
RunSummary nightly();

/// The same with a task that an earlier run had finished, and what the reports tell besides.
RunSummary nightly_with_restored();
report::RunFacts facts_of_nightly();

/// A run that is another one for each seed: any bytes as texts, any way to end. The attempts of a
/// worker follow one another.
RunSummary random_run(unsigned seed);
report::RunFacts random_facts(unsigned seed);

/// Any bytes, mostly those that reports must look after.
std::string random_text(std::mt19937& random);

}  // namespace osiiso::test
