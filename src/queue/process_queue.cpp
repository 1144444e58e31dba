// SPDX-License-Identifier: MIT
#include "osiiso/process_queue.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>

#include "base/cpus.hpp"
#include "queue/engine.hpp"
#include "queue/image.hpp"
#include "queue/process_runner.hpp"
#include "queue/thread_workers.hpp"
#include "queue/worker_process.hpp"

namespace osiiso {
namespace {

int worker_limit(const QueueOptions& options) {
  return options.workers ? *options.workers : std::clamp(base::usable_cpus(), 1, 32);
}

/// The initializer's place in the program's image, 0 where there is none.
std::uint64_t initializer_offset(const QueueOptions& options) {
  if (!options.initializer) return 0;
  const auto* function = options.initializer.target<void (*)()>();
  if (function == nullptr) {
    throw OptionError("initializer of a process queue must be a plain function");
  }
  return queue::image_offset(reinterpret_cast<std::uintptr_t>(*function));
}

void require_remote(const TaskBody& body) {
  if (body.command() != nullptr || body.target<RemoteCall>() != nullptr) return;
  throw OptionError(
      "a process queue takes commands and osiiso::remote_call(...): another callable cannot cross "
      "to a worker process");
}

std::shared_ptr<queue::Engine> make_engine(const QueueOptions& options) {
  validate(options);
  initializer_offset(options);
  if (!queue::main_is_noted()) {
    throw StateError("osiiso::worker_main() must be called first in main()");
  }
  auto engine = std::make_shared<queue::Engine>(options, worker_limit(options));
  engine->restrict_bodies(require_remote);
  return engine;
}

std::unique_ptr<queue::SyncWorkers> make_workers(const std::shared_ptr<queue::Engine>& engine) {
  const auto& options = engine->options();
  const auto make_runner = [initializer = initializer_offset(options), grace = options.grace] {
    return std::make_unique<queue::ProcessRunner>(initializer, grace);
  };
  return std::make_unique<queue::ThreadWorkers>(engine, worker_limit(options), make_runner);
}

}  // namespace

ProcessQueue::ProcessQueue(const QueueOptions& options) : ProcessQueue(make_engine(options)) {}

ProcessQueue::ProcessQueue(const std::shared_ptr<queue::Engine>& engine)
    : Submitting(engine, make_workers(engine)) {}

}  // namespace osiiso
