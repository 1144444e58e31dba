// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "osiiso/command.hpp"
#include "osiiso/run_summary.hpp"
#include "osiiso/task_result.hpp"

#include "report/json_text.hpp"
#include "report/run_facts.hpp"

// What the summary and the events have in common, each time as fields of the object that is open.

namespace osiiso::report {

void write_attempt_fields(JsonText& out, const AttemptResult& attempt);

void write_leaked_fields(JsonText& out, const LeakedProcess& process);

void write_summary_counts(JsonText& out, const RunSummary& summary);

/// An object, as a value.
void write_counts(JsonText& out, const RunFacts::Counts& counts);

/// Its name, or null, as a value.
void write_signal(JsonText& out, std::optional<int> signal);

}  // namespace osiiso::report
