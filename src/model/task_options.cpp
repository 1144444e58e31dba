// SPDX-License-Identifier: MIT
#include "osiiso/task_options.hpp"

#include <algorithm>
#include <cmath>

#include "osiiso/error.hpp"
#include "osiiso/task_result.hpp"

namespace osiiso {
namespace {

void require(bool holds, const char* rule) {
  if (!holds) throw OptionError(rule);
}

}  // namespace

const char* to_string(Cause cause) {
  switch (cause) {
    case Cause::none:
      return "";
    case Cause::exit:
      return "exit";
    case Cause::signal:
      return "signal";
    case Cause::timeout:
      return "timeout";
    case Cause::spawn:
      return "spawn";
    case Cause::worker:
      return "worker";
    case Cause::leak:
      return "leak";
    case Cause::error:
      return "error";
  }
  return "";
}

const char* to_string(Status status) {
  switch (status) {
    case Status::pending:
      return "pending";
    case Status::running:
      return "running";
    case Status::retrying:
      return "retrying";
    case Status::succeeded:
      return "succeeded";
    case Status::failed:
      return "failed";
    case Status::cancelled:
      return "cancelled";
  }
  return "";
}

bool RetryOn::matches(Cause cause, std::optional<int> exit_code) const {
  if (cause == Cause::none) return false;
  if (causes.contains(cause)) return true;
  return cause == Cause::exit && exit_code &&
         std::ranges::find(exit_codes, *exit_code) != exit_codes.end();
}

void validate(const TaskOptions& options) {
  constexpr Duration kZero{0};
  require(!options.timeout || *options.timeout > kZero, "timeout must be > 0");
  require(options.retries >= 0, "retries must be >= 0");
  require(options.retry_delay >= kZero, "retry_delay must be >= 0");
  require(options.backoff > 0, "backoff must be > 0");  // written so that NaN does not pass
  require(std::isfinite(options.backoff), "backoff must be finite");
  require(!options.delay || *options.delay >= kZero, "delay must be >= 0");
  require(!options.delay || !options.run_at, "delay and run_at are mutually exclusive");
  require(!options.max_delay || *options.max_delay >= kZero, "max_delay must be >= 0");
  require(options.jitter >= 0 && options.jitter <= 1, "jitter must be between 0 and 1");
  require(!options.grace || *options.grace >= kZero, "grace must be >= 0");
}

}  // namespace osiiso
