// SPDX-License-Identifier: MIT
#include "job/job.hpp"

namespace osiiso::job {

QueueOptions queue_options(const Overrides& overrides) {
  QueueOptions queue;
  if (overrides.workers) queue.workers = overrides.workers->number;
  queue.size = overrides.size.value_or(queue.size);
  queue.timeout = overrides.timeout;
  queue.mode = overrides.mode.value_or(queue.mode);
  queue.fail_policy = overrides.fail_policy.value_or(queue.fail_policy);
  queue.on_timeout = overrides.on_timeout.value_or(queue.on_timeout);
  queue.rate = overrides.rate;
  queue.burst = overrides.burst.value_or(queue.burst);
  queue.grace = overrides.grace.value_or(queue.grace);
  return queue;
}

TaskOptions task_options(const Overrides& overrides) {
  TaskOptions task;
  task.retries = overrides.retries.value_or(task.retries);
  task.retry_delay = overrides.retry_delay.value_or(task.retry_delay);
  task.backoff = overrides.backoff.value_or(task.backoff);
  task.priority = overrides.priority.value_or(task.priority);
  task.timeout = overrides.task_timeout;
  return task;
}

}  // namespace osiiso::job
