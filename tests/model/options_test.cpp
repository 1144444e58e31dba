// SPDX-License-Identifier: MIT
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "osiiso/error.hpp"
#include "osiiso/queue_options.hpp"
#include "osiiso/task_options.hpp"
#include "osiiso/task_result.hpp"

namespace osiiso {
namespace {

using namespace std::chrono_literals;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <typename Options>
std::string refusal(const Options& options) {
  try {
    validate(options);
  } catch (const OptionError& error) {
    return error.what();
  }
  return "accepted";
}

TEST_CASE("the defaults of a task are allowed") {
  const TaskOptions options;
  CHECK(refusal(options) == "accepted");
  CHECK(options.priority == 3);
  CHECK(options.retries == 0);
  CHECK(options.backoff == 1);
  CHECK_FALSE(options.timeout);
  CHECK_FALSE(options.must_complete);
  CHECK_FALSE(options.detached);
}

TEST_CASE("a task's options out of their range are refused with the rule") {
  CHECK(refusal(TaskOptions{.timeout = 0s}) == "timeout must be > 0");
  CHECK(refusal(TaskOptions{.timeout = -1s}) == "timeout must be > 0");
  CHECK(refusal(TaskOptions{.retries = -1}) == "retries must be >= 0");
  CHECK(refusal(TaskOptions{.retry_delay = -1ns}) == "retry_delay must be >= 0");
  CHECK(refusal(TaskOptions{.backoff = 0}) == "backoff must be > 0");
  CHECK(refusal(TaskOptions{.backoff = -2}) == "backoff must be > 0");
  CHECK(refusal(TaskOptions{.delay = -1ns}) == "delay must be >= 0");
  CHECK(refusal(TaskOptions{.delay = 0s, .run_at = std::chrono::system_clock::now()}) ==
        "delay and run_at are mutually exclusive");
  CHECK(refusal(TaskOptions{.max_delay = -1s}) == "max_delay must be >= 0");
  CHECK(refusal(TaskOptions{.jitter = 1.01}) == "jitter must be between 0 and 1");
  CHECK(refusal(TaskOptions{.jitter = -0.01}) == "jitter must be between 0 and 1");
  CHECK(refusal(TaskOptions{.grace = -1s}) == "grace must be >= 0");
}

TEST_CASE("NaN and infinities are refused") {
  CHECK(refusal(TaskOptions{.backoff = kNan}) == "backoff must be > 0");
  CHECK(refusal(TaskOptions{.backoff = kInfinity}) == "backoff must be finite");
  CHECK(refusal(TaskOptions{.backoff = -kInfinity}) == "backoff must be > 0");
  CHECK(refusal(TaskOptions{.jitter = kNan}) == "jitter must be between 0 and 1");
  CHECK(refusal(TaskOptions{.jitter = kInfinity}) == "jitter must be between 0 and 1");
  CHECK(refusal(QueueOptions{.rate = kNan}) == "rate must be > 0");
  CHECK(refusal(QueueOptions{.rate = kInfinity}) == "rate must be finite");
}

TEST_CASE("of several broken rules the first is told") {
  TaskOptions options{.retries = -1, .retry_delay = -1s, .backoff = 0, .timeout = 0s, .delay = -1s};
  options.run_at = std::chrono::system_clock::now();
  CHECK(refusal(options) == "timeout must be > 0");
  options.timeout = 1s;
  CHECK(refusal(options) == "retries must be >= 0");
  options.retries = 0;
  CHECK(refusal(options) == "retry_delay must be >= 0");
  options.retry_delay = 0s;
  CHECK(refusal(options) == "backoff must be > 0");
  options.backoff = 1;
  CHECK(refusal(options) == "delay must be >= 0");
  options.delay = 1s;
  CHECK(refusal(options) == "delay and run_at are mutually exclusive");
}

TEST_CASE("unusual options that make sense are allowed") {
  CHECK(refusal(TaskOptions{.delay = 0s}) == "accepted");
  CHECK(refusal(TaskOptions{.backoff = 0.5}) == "accepted");
  CHECK(refusal(TaskOptions{.priority = -1'000'000}) == "accepted");
  CHECK(refusal(TaskOptions{.run_at = std::chrono::system_clock::time_point{}}) == "accepted");
  CHECK(refusal(TaskOptions{.max_delay = 0s, .jitter = 1, .grace = 0s}) == "accepted");
}

TEST_CASE("a queue's options out of their range are refused with the rule") {
  CHECK(refusal(QueueOptions{}) == "accepted");
  CHECK(refusal(QueueOptions{.size = -1}) == "size must be >= 0");
  CHECK(refusal(QueueOptions{.workers = 0}) == "workers must be > 0");
  CHECK(refusal(QueueOptions{.workers = -1}) == "workers must be > 0");
  CHECK(refusal(QueueOptions{.timeout = 0s}) == "timeout must be > 0");
  CHECK(refusal(QueueOptions{.rate = 0}) == "rate must be > 0");
  CHECK(refusal(QueueOptions{.burst = 0}) == "burst must be >= 1");
  CHECK(refusal(QueueOptions{.grace = -1s}) == "grace must be >= 0");
}

TEST_CASE("by default every failure but a spawn failure is retried") {
  const RetryOn retry_on;
  for (const Cause cause :
       {Cause::exit, Cause::signal, Cause::timeout, Cause::worker, Cause::leak, Cause::error}) {
    CHECK(retry_on.matches(cause, std::nullopt));
  }
  CHECK_FALSE(retry_on.matches(Cause::spawn, std::nullopt));
  CHECK_FALSE(retry_on.matches(Cause::none, std::nullopt));
}

TEST_CASE("retried exit codes match nothing but an exit") {
  const RetryOn retry_on{.causes = {Cause::timeout}, .exit_codes = {75}};
  CHECK(retry_on.matches(Cause::exit, 75));
  CHECK_FALSE(retry_on.matches(Cause::exit, 1));
  CHECK_FALSE(retry_on.matches(Cause::exit, std::nullopt));
  CHECK(retry_on.matches(Cause::timeout, std::nullopt));
  CHECK_FALSE(retry_on.matches(Cause::leak, 75));  // exited with 75, but that is not its failure
}

TEST_CASE("causes and statuses have the words of the reports") {
  CHECK(std::string(to_string(Cause::none)).empty());
  CHECK(std::string(to_string(Cause::exit)) == "exit");
  CHECK(std::string(to_string(Cause::signal)) == "signal");
  CHECK(std::string(to_string(Cause::timeout)) == "timeout");
  CHECK(std::string(to_string(Cause::spawn)) == "spawn");
  CHECK(std::string(to_string(Cause::worker)) == "worker");
  CHECK(std::string(to_string(Cause::leak)) == "leak");
  CHECK(std::string(to_string(Cause::error)) == "error");
  CHECK(std::string(to_string(Status::pending)) == "pending");
  CHECK(std::string(to_string(Status::running)) == "running");
  CHECK(std::string(to_string(Status::retrying)) == "retrying");
  CHECK(std::string(to_string(Status::succeeded)) == "succeeded");
  CHECK(std::string(to_string(Status::failed)) == "failed");
  CHECK(std::string(to_string(Status::cancelled)) == "cancelled");
}

}  // namespace
}  // namespace osiiso
