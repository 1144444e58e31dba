// SPDX-License-Identifier: MIT
#include "osiiso/task_result.hpp"

#include <ostream>

namespace osiiso {

std::string TaskId::text() const {
  constexpr std::size_t kDigits = 16;  // of each half
  std::string text(2 * kDigits, '0');
  for (std::size_t i = 0; i < kDigits; ++i) {
    const std::size_t shift = 4 * (kDigits - 1 - i);
    text[i] = "0123456789abcdef"[(high_ >> shift) & 0xfU];
    text[kDigits + i] = "0123456789abcdef"[(low_ >> shift) & 0xfU];
  }
  return text;
}

std::ostream& operator<<(std::ostream& out, const TaskId& id) {
  return out << id.text();
}

std::vector<AttemptResult> TaskResult::attempt_list() const {
  auto list = unsuccessful_attempts;
  if (status != Status::succeeded || !started_at) return list;
  list.push_back({.attempt = attempts,
                  .worker = worker,
                  .started_at = last_started_at,
                  .finished_at = finished_at,
                  .cause = Cause::none,
                  .exit_code = output ? output->exit_code : std::nullopt,
                  .signal = output ? output->signal : std::nullopt,
                  .message = {}});
  return list;
}

}  // namespace osiiso
