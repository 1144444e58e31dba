// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "osiiso/run_summary.hpp"

namespace osiiso::test {

/// A final result with nothing in it but what is named here.
TaskResult result(std::string name, Status status, std::string message = {}, int attempts = 1);

/// The summary of a run whose results were added in this order.
RunSummary summary_of(const std::vector<TaskResult>& results, Duration duration = {});

/// The example of the manual: five tasks, two of which failed.
RunSummary nightly();

}  // namespace osiiso::test
