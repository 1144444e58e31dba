// SPDX-License-Identifier: MIT
#include "queue/uniform_batch.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace osiiso::queue {
namespace {

void add_all(Batch& batch, TaskOptions options, std::vector<TaskBody> bodies,
             std::vector<RecorderPtr> recorders, std::optional<Batch::Group> group) {
  validate(options);
  const auto shared = std::make_shared<const TaskOptions>(std::move(options));
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    const auto added = batch.add(shared->name, shared, std::move(bodies[i]), group);
    if (!recorders.empty()) batch.record(added, std::move(recorders[i]));
  }
}

}  // namespace

Batch uniform_batch(TaskOptions options, std::vector<TaskBody> bodies,
                    std::vector<RecorderPtr> recorders) {
  Batch batch;
  add_all(batch, std::move(options), std::move(bodies), std::move(recorders), {});
  return batch;
}

Batch uniform_group(TaskOptions options, std::vector<TaskBody> bodies,
                    std::vector<RecorderPtr> recorders) {
  Batch batch;
  const auto group = batch.add_group({.group_id = options.group_id});
  add_all(batch, std::move(options), std::move(bodies), std::move(recorders), group);
  return batch;
}

}  // namespace osiiso::queue
