// SPDX-License-Identifier: MIT
#include "queue/record.hpp"

#include "base/format.hpp"

namespace osiiso::queue {

std::string need_text(const std::string& name, bool failed) {
  return base::format("needs '{}', which {}", name, failed ? "failed" : "was cancelled");
}

ResultPtr result_of(const RecordPtr& record) {
  return record->is_final() ? ResultPtr(record, &record->result) : nullptr;
}

}  // namespace osiiso::queue
