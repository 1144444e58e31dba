// SPDX-License-Identifier: MIT
#include "osiiso/thread_queue.hpp"

#include <algorithm>
#include <memory>

#include "base/cpus.hpp"
#include "queue/engine.hpp"
#include "queue/thread_runner.hpp"
#include "queue/thread_workers.hpp"

namespace osiiso {
namespace {

int worker_limit(const QueueOptions& options) {
  return options.workers ? *options.workers : std::clamp(4 * base::usable_cpus(), 4, 32);
}

std::shared_ptr<queue::Engine> make_engine(const QueueOptions& options) {
  validate(options);
  return std::make_shared<queue::Engine>(options, worker_limit(options));
}

}  // namespace

ThreadQueue::ThreadQueue(const QueueOptions& options) : ThreadQueue(make_engine(options)) {}

ThreadQueue::ThreadQueue(const std::shared_ptr<queue::Engine>& engine)
    : Submitting(engine, std::make_unique<queue::ThreadWorkers>(
                             engine, worker_limit(engine->options()),
                             [&initializer = engine->options().initializer] {
                               return std::make_unique<queue::ThreadRunner>(initializer);
                             })) {}

}  // namespace osiiso
