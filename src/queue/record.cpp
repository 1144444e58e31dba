// SPDX-License-Identifier: MIT
#include "queue/record.hpp"

#include <utility>

#include "osiiso/error.hpp"

#include "base/format.hpp"
#include "model/task_name.hpp"

namespace osiiso::queue {

RecordPtr make_record(std::string name, TaskBody body) {
  auto record = std::make_shared<TaskRecord>();
  record->result.name = name.empty() ? model::default_name(body) : std::move(name);
  record->body = std::move(body);
  return record;
}

void require_repeatable(const OptionSet& set, const TaskBody& body) {
  if (set.rules.retries > 0 && body.is_single_use()) {
    throw OptionError("a callable that takes its arguments as rvalues cannot be retried");
  }
}

std::string need_text(const std::string& name, bool failed) {
  return base::format("needs '{}', which {}", name, failed ? "failed" : "was cancelled");
}

ResultPtr result_of(const RecordPtr& record) {
  return record->is_final() ? ResultPtr(record, &record->result) : nullptr;
}

}  // namespace osiiso::queue
